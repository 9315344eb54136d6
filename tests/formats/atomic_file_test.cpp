#include <doctest/doctest.h>

#include <csignal>
#include <string>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <mien/io/formats/atomic_file.hpp>

#include <formats/temporary_folder.hpp>

using namespace mien;

namespace {

/// Within its life, a write that makes a file longer than so many bytes fails, as on a full disk.
class SmallDisk {
 public:
  explicit SmallDisk(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit now{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &now);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  ~SmallDisk() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  rlimit before_{};
  void (*handler_)(int);
};

}  // namespace

TEST_CASE("a file is there after commit, and only then") {
  const TemporaryFolder folder;
  {
    AtomicFile file(folder / "a");
    file.write("first ");
    file.write("second");
    CHECK_FALSE(std::filesystem::exists(folder / "a"));
    file.commit();
  }
  CHECK(content(folder / "a") == "first second");
  CHECK(folder.files() == 1);
}

TEST_CASE("an abandoned or failed write keeps the old file and leaves no other") {
  const TemporaryFolder folder;
  set_content(folder / "a", "old");
  { AtomicFile(folder / "a").write("abandoned"); }
  CHECK(content(folder / "a") == "old");
  {
    const SmallDisk disk(1000);
    AtomicFile file(folder / "a");
    CHECK_THROWS_AS(file.write(std::string(5000, 'x')), FileError);
  }
  CHECK(content(folder / "a") == "old");
  CHECK(folder.files() == 1);
}

TEST_CASE("a killed process leaves the old file, and the next write takes its place") {
  const TemporaryFolder folder;
  set_content(folder / "a", "old");
  const pid_t child = fork();
  if (child == 0) {
    AtomicFile file(folder / "a");
    file.write(std::string(100, 'x'));
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  CHECK(content(folder / "a") == "old");
  CHECK(folder.files() == 2);
  AtomicFile file(folder / "a");
  file.write("new");
  file.commit();
  CHECK(content(folder / "a") == "new");
  CHECK(folder.files() == 1);
}

TEST_CASE("two writers of one name do not mix") {
  const TemporaryFolder folder;
  AtomicFile first(folder / "a");
  CHECK_THROWS_AS(AtomicFile(folder / "a"), FileError);
  first.write("first");
  first.commit();
  CHECK(content(folder / "a") == "first");
}

TEST_CASE("a symbolic link stays, and the file behind it is replaced") {
  const TemporaryFolder folder;
  set_content(folder / "a", "old");
  std::filesystem::create_symlink("a", folder / "link");
  AtomicFile file(folder / "link");
  file.write("new");
  file.commit();
  CHECK(std::filesystem::is_symlink(folder / "link"));
  CHECK(content(folder / "a") == "new");
}

TEST_CASE("a folder that is not there is an error") {
  const TemporaryFolder folder;
  CHECK_THROWS_AS(AtomicFile(folder / "missing/a"), FileError);
}
