#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <vector>

#include <mien/core/random.hpp>
#include <mien/io/formats/pytorch.hpp>

#include <formats/numbers.hpp>
#include <formats/temporary_folder.hpp>

using namespace mien;

namespace {

const std::string torch_weights = MIEN_TEST_REFERENCES "/weights/";

std::string complaint_of_torch(const std::filesystem::path& path) {
  try {
    const PyTorchFile file(path);
    for (const StoredTensor& tensor : file.tensors()) static_cast<void>(numbers_of(file, tensor.name));
    return "";
  } catch (const FileError& error) {
    return error.what();
  }
}

void check_state(const PyTorchFile& file) {
  CHECK(file.tensors().size() == 10);
  CHECK(file.tensors()[0].name == "weight");
  CHECK(file.find("weight")->shape == Shape{4, 2, 3, 3});
  CHECK(numbers_of(file, "weight") == halves(72));
  CHECK(file.find("transposed")->shape == Shape{5, 3});
  CHECK(numbers_of(file, "transposed") == halves(15));
  CHECK(numbers_of(file, "view") == halves(4));
  CHECK(file.find("half")->dtype == DType::f16);
  CHECK(numbers_of(file, "half") == halves(3));
  CHECK(file.find("bfloat")->dtype == DType::bf16);
  CHECK(numbers_of(file, "bfloat") == halves(3));
  CHECK(numbers_of(file, "double") == halves(6));
  CHECK(file.find("num_batches_tracked")->shape == Shape{});
  CHECK(numbers_of(file, "num_batches_tracked") == std::vector<double>{0});
  CHECK(numbers_of(file, "truth") == std::vector<double>{0, 1, 0});
  CHECK(numbers_of(file, "none").empty());
  CHECK(numbers_of(file, "tied") == halves(72));
  for (const StoredTensor& tensor : file.tensors()) CHECK(streams_as_it_reads(file, tensor));
}

/// A pickle in the older format: magic number, version, machine, then these instructions and what follows.
std::string legacy_with(const std::string& instructions) {
  using namespace std::string_literals;
  return std::string(detail::legacy_torch_magic) + "\x80\x02M\xe9\x03."s + "\x80\x02}."s + "\x80\x02"s + instructions;
}

std::string complaint_of_pickle(const TemporaryFolder& folder, const std::string& instructions) {
  set_content(folder / "pickle", legacy_with(instructions));
  return complaint_of_torch(folder / "pickle");
}

bool has(const std::string& message, const char* part) { return message.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("state dicts come back from both formats: types, views, transposed and tied tensors") {
  for (const char* kind : {"zip", "legacy"}) {
    INFO(kind);
    check_state(PyTorchFile(torch_weights + "state_" + kind + ".pt"));
  }
}

TEST_CASE("a state dict inside a checkpoint is found, and loses the prefix of DataParallel") {
  check_state(PyTorchFile(torch_weights + "checkpoint_zip.pt"));
  check_state(PyTorchFile(torch_weights + "checkpoint_legacy.pt"));
}

TEST_CASE("tensors of nested containers are named by their way") {
  const PyTorchFile file(torch_weights + "nested_zip.pt");
  REQUIRE(file.tensors().size() == 3);
  CHECK(numbers_of(file, "conv.weight") == halves(4));
  CHECK(numbers_of(file, "list.0") == halves(3));
  CHECK(numbers_of(file, "7") == halves(1));
}

TEST_CASE("a pickle that asks for anything but tensors is refused by the name of what it asks for") {
  for (const std::string kind : {"zip", "legacy"}) {
    INFO(kind);
    CHECK(has(complaint_of_torch(torch_weights + "evil_" + kind + ".pt"), "asks Python for 'posix.system'"));
    CHECK(has(complaint_of_torch(torch_weights + "eval_" + kind + ".pt"), "asks Python for '__builtin__.eval'"));
    CHECK(has(complaint_of_torch(torch_weights + "module_" + kind + ".pt"), "torch.save(model.state_dict(), ...)"));
  }
  const TemporaryFolder folder;
  CHECK(has(complaint_of_pickle(folder, "cos\nsystem\n(X\x02\0\0\0ls\x85R."), "asks Python for 'os.system'"));
  CHECK(has(complaint_of_pickle(folder,
                                "\x8c\x08"
                                "builtins\x8c\x04"
                                "exec\x93."),
            "asks Python for 'builtins.exec'"));
  CHECK(has(complaint_of_pickle(folder, "ctorch\nload\n."), "asks Python for 'torch.load'"));
  CHECK(has(complaint_of_pickle(folder, "ctorch\nQUInt8Storage\n."), "of the type 'torch.QUInt8Storage'"));
  CHECK(has(complaint_of_pickle(folder, "(lios\nsystem\n."), "instruction 105"));
  CHECK_FALSE(std::filesystem::exists("executed"));
}

TEST_CASE("damaged pickles are refused") {
  using namespace std::string_literals;
  const TemporaryFolder folder;
  for (const std::string& instructions : std::initializer_list<std::string>{"."s,
                                                                            "e."s,
                                                                            "(t"s,
                                                                            "]a."s,
                                                                            "h\1."s,
                                                                            "R."s,
                                                                            "Q."s,
                                                                            "]Q."s,
                                                                            "ccollections\nOrderedDict\nK\1\x85R."s,
                                                                            "(."s,
                                                                            "(0."s,
                                                                            "]K\1s."s,
                                                                            "}(K\1u."s,
                                                                            "}K\1b."s,
                                                                            "r\xff\xff\xff\xff."s,
                                                                            "X\xff\xff\xff\xff."s,
                                                                            "c"s,
                                                                            "cnumpy"s,
                                                                            "\x8d\xff\xff\xff\xff\xff\xff\xff\xff."s,
                                                                            "\x8b\xff\xff\xff\x7f."s,
                                                                            "\x93."s,
                                                                            "ctorch._utils\n_rebuild_tensor_v2\n)R."s,
                                                                            "ctorch.nn.parameter\nParameter\n(}tR."s,
                                                                            "ctorch\nSize\n)R."s,
                                                                            "}q\0(K\1h\0u."s,
                                                                            ""s}) {
    INFO(instructions);
    CHECK_FALSE(complaint_of_pickle(folder, instructions).empty());
  }
  CHECK(has(complaint_of_pickle(folder, std::string(600000, ')') + "."), "more than 500000 values"));
  CHECK(has(complaint_of_pickle(folder, "}.]."), "it holds no tensors"));
}

TEST_CASE("a list that is asked for again and again does not fill the memory") {
  // memo 0: (1, 1); memo 1: a list of it, 100,000 times; memo 2: OrderedDict, called with that list 100 times.
  std::string pickle("K\x01K\x01\x86q\x00", 7);
  pickle += "0](";
  for (int i = 0; i < 100000; ++i) pickle.append("h\0", 2);
  pickle +=
      "eq\x01"
      "0ccollections\nOrderedDict\nq\x02"
      "0";
  for (int i = 0; i < 100; ++i) pickle += "h\x02h\x01\x85R0";
  const TemporaryFolder folder;
  CHECK(has(complaint_of_pickle(folder, pickle + "h\x02."), "containers of more than 4000000 elements"));
}

TEST_CASE("tensors that lie about their memory are refused, with their name") {
  using namespace std::string_literals;
  const TemporaryFolder folder;
  const auto number = [](std::int64_t n) {
    std::string bytes = "\x8a\x08";
    for (int i = 0; i < 8; ++i) bytes += static_cast<char>(n >> (8 * i));
    return bytes;
  };
  const auto tuple = [&](const std::vector<std::int64_t>& values) {
    std::string bytes = "(";
    for (const std::int64_t value : values) bytes += number(value);
    return bytes + "t";
  };
  const auto tensor = [&](std::int64_t count, std::int64_t offset, const std::vector<std::int64_t>& shape,
                          const std::vector<std::int64_t>& strides, const std::string& name = "w"s) {
    return "X" + std::string{static_cast<char>(name.size()), 0, 0, 0} + name +
           "ctorch._utils\n_rebuild_tensor_v2\n((X\x07\0\0\0storagectorch\nFloatStorage\nX\1\0\0\0kX\3\0\0\0cpu"s +
           number(count) + "tQ" + number(offset) + tuple(shape) + tuple(strides) + "tR";
  };
  const auto complaint = [&](const std::string& tensors, std::int64_t stored = 6) {
    std::string count;
    for (int i = 0; i < 8; ++i) count += static_cast<char>(stored >> (8 * i));
    return complaint_of_pickle(folder,
                               "}(" + tensors + "u." + "\x80\x02](X\1\0\0\0ke."s + count + std::string(24, '\1'));
  };
  CHECK(complaint(tensor(6, 0, {2, 3}, {3, 1})).empty());
  CHECK(complaint(tensor(6, 2, {2, 2}, {1, 2})).empty());
  CHECK(has(complaint(tensor(6, 0, {2, 4}, {4, 1})), "tensor 'w': its shape (2, 4) has more elements"));
  CHECK(has(complaint(tensor(6, 1, {2, 3}, {3, 1})), "reaches beyond its storage of 6"));
  CHECK(has(complaint(tensor(6, 0, {2, 2}, {5, 2})), "reaches beyond its storage"));
  CHECK(has(complaint(tensor(6, 0, {2, 3}, {-3, 1})), "reaches beyond its storage"));
  CHECK(has(complaint(tensor(6, 0, {2, 3}, {std::int64_t{1} << 62, std::int64_t{1} << 62})), "reaches beyond"));
  CHECK(has(complaint(tensor(6, -1, {2, 2}, {2, 1})), "its strides or its offset"));
  CHECK(has(complaint(tensor(6, 0, {2, 2}, {2})), "its strides or its offset"));
  CHECK(has(complaint(tensor(6, 0, {std::int64_t{1} << 40}, {0})), "more elements than its storage"));
  CHECK(has(complaint(tensor(6, 0, {std::int64_t{1} << 60, 16}, {1, 1})), "does not fit 63 bits"));
  CHECK(has(complaint(tensor(6, 0, {1, 1, 1, 1, 1, 1, 1}, {1, 1, 1, 1, 1, 1, 1})), "at most 6 extents"));
  CHECK(has(complaint(tensor(7, 0, {2, 3}, {3, 1})), "should have 7 elements of 4 bytes, but has 24"));
  CHECK(has(complaint(tensor(-1, 0, {2, 3}, {3, 1})), "should have -1 elements"));
  CHECK(has(complaint(tensor(6, 0, {2, 3}, {3, 1}), std::int64_t{1} << 60), "claims 1152921504606846976 elements"));
  CHECK(has(complaint(tensor(6, 0, {2, 3}, {3, 1}) + tensor(6, 0, {6}, {1})), "two of its tensors are named 'w'"));
}

TEST_CASE("PyTorch files cut at 200 places are refused; no changed byte crashes the reader") {
  const TemporaryFolder folder;
  for (const char* name : {"state_zip.pt", "state_legacy.pt"}) {
    const std::string whole = content(torch_weights + name);
    for (std::size_t i = 0; i < 200; ++i) {
      set_content(folder / "cut", whole.substr(0, whole.size() * i / 200));
      INFO("cut at ", whole.size() * i / 200);
      CHECK_FALSE(complaint_of_torch(folder / "cut").empty());
    }
    for (std::uint64_t i = 0; i < 3000; ++i) {
      std::string bytes = whole;
      Random random(RandomKey{.seed = 9, .step = i});
      for (int flips = 0; flips < 3; ++flips) {
        char& byte = bytes[random.below(static_cast<std::uint32_t>(bytes.size()))];
        byte = static_cast<char>(byte ^ (1 << random.below(8)));
      }
      set_content(folder / "changed", bytes);
      static_cast<void>(complaint_of_torch(folder / "changed"));
    }
  }
}
