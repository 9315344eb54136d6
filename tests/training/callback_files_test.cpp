#include <doctest/doctest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <mien/model/callbacks/csv_logger.hpp>
#include <mien/model/callbacks/format_path.hpp>

#include "fake_training.hpp"

using namespace mien;
using mien::testing_callbacks::FakeTraining;
using mien::testing_callbacks::Stored;

namespace {
/// A file of this test alone, removed afterwards.
struct Scratch {
  std::string path = std::filesystem::temp_directory_path() / "mien_callbacks_files_test.csv";
  Scratch() { std::filesystem::remove(path); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() { std::filesystem::remove(path); }
  void write(const std::string& content) const { std::ofstream(path, std::ios::binary) << content; }
  [[nodiscard]] std::string read() const {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
};

void epoch(Callback& callback, int number, const Logs& logs) {
  FakeTraining training;
  callback.on_epoch_end(number, logs, training);
}

Callback begun(const CSVLogger& options) {
  FakeTraining training;
  Callback callback = options;
  callback.on_train_begin(training);
  return callback;
}
}  // namespace

TEST_CASE("a row per epoch, in the file at once") {
  const Scratch file;
  file.write("something old\n");
  Callback log = begun({.filename = file.path});
  epoch(log, 0, {{"loss", .1}, {"val_loss", 1e-7}});
  CHECK(file.read() == "epoch,loss,val_loss\n0,0.1,1e-07\n");
  epoch(log, 1, {{"loss", 1. / 3}, {"accuracy", 9}});
  CHECK(file.read() == "epoch,loss,val_loss\n0,0.1,1e-07\n1,0.3333333333333333,NA\n");
}

TEST_CASE("append keeps what is there") {
  const Scratch file;
  Callback log = begun({.filename = file.path, .separator = ';', .append = true});
  epoch(log, 0, {{"loss", 1}});
  log = begun({.filename = file.path, .separator = ';', .append = true});
  epoch(log, 0, {{"loss", 2}});
  epoch(log, 1, {{"loss", 3}});
  CHECK(file.read() == "epoch;loss\n0;1\n0;2\n1;3\n");
}

TEST_CASE("a resumed run writes no row twice") {
  for (const bool append : {false, true}) {
    CAPTURE(append);
    const Scratch file;
    file.write("epoch,loss,accuracy\n0,9,9\n");
    const CSVLogger options{.filename = file.path, .append = append};
    const std::string kept = append ? "epoch,loss,accuracy\n0,9,9\n" : "epoch,loss,accuracy\n";
    Callback log = begun(options);
    epoch(log, 0, {{"loss", 1}, {"accuracy", .5}});
    epoch(log, 1, {{"loss", 2}, {"accuracy", .5}});
    Stored stored(log);
    epoch(log, 2, {{"loss", 3}, {"accuracy", .5}});  // killed before this was stored
    CHECK(file.read() == kept + "0,1,0.5\n1,2,0.5\n2,3,0.5\n");

    Callback resumed = begun(options);
    stored.restore(resumed);
    epoch(resumed, 2, {{"accuracy", .25}, {"loss", 4}});
    CHECK(file.read() == kept + "0,1,0.5\n1,2,0.5\n2,4,0.25\n");

    std::filesystem::remove(file.path);
    epoch(resumed, 3, {{"loss", 5}, {"accuracy", .5}});
    CHECK(file.read() == "epoch,loss,accuracy\n3,5,0.5\n");
  }
}

TEST_CASE("a log that cannot be written is an error") {
  const std::string nowhere = std::filesystem::temp_directory_path() / "mien_no_such_folder" / "log.csv";
  Callback log = begun({.filename = nowhere});
  CHECK_THROWS_WITH_AS(epoch(log, 0, {{"loss", 1}}), ("CSVLogger: cannot write to '" + nowhere + "'").c_str(),
                       FileError);
  CHECK_THROWS_AS((void)begun({}), OptionError);
}

TEST_CASE("file names in Python's notation") {
  const Logs logs{{"loss", 12.5}, {"val_loss", .466}};
  CHECK(format_path("m.{epoch:02d}-{val_loss:.2f}.safetensors", 6, logs) == "m.07-0.47.safetensors");
  CHECK(format_path("plain", 0, logs) == "plain");
  CHECK(format_path("{epoch}{epoch:3d}|{loss}|{loss:8.2f}|{loss:08.1f}", 9, logs) == "10 10|12.5|   12.50|000012.5");
  CHECK(format_path("{loss:f} {loss:e} {loss:.1e} {epoch:.1f}", 0, logs) == "12.500000 1.250000e+01 1.2e+01 1.0");
  CHECK(format_path("{x:06.1f}", 0, {{"x", -2.5}}) == "-002.5");
  CHECK(format_path("{{{epoch}}}", 0, logs) == "{1}");
}

TEST_CASE("file names with faults") {
  const Logs logs{{"loss", 1}};
  CHECK_THROWS_WITH_AS((void)format_path("m-{val_loss:.2f}", 0, logs),
                       "file name 'm-{val_loss:.2f}': there is no 'val_loss' in the logs, there are: epoch, loss",
                       OptionError);
  CHECK_THROWS_WITH_AS((void)format_path("{loss:d}", 0, logs),
                       "file name '{loss:d}': d writes whole numbers, 'loss' is 1; write {loss:.4f}", OptionError);
  for (const char* bad : {"{", "}", "{epoch", "a}b", "{}", "{loss:.2x}", "{loss:.2}", "{loss:2fd}", "{epoch:.2d}",
                          "{loss:-3f}", "{loss:100f}", "{loss:.100f}", "{loss:.f}", "{loss:9999999999f}"})
    CHECK_THROWS_AS((void)format_path(bad, 0, logs), OptionError);
}

TEST_CASE("stages that share a file are told apart by a column") {
  const Scratch file;
  Callback log = begun({.filename = file.path, .first_epoch = 1, .label_name = "stage", .label = "head"});
  epoch(log, 0, {{"loss", 1}});
  log = begun({.filename = file.path, .append = true, .first_epoch = 2, .label_name = "stage", .label = "all"});
  epoch(log, 0, {{"loss", 2}});
  CHECK(file.read() == "epoch,stage,loss\n1,head,1\n2,all,2\n");
}
