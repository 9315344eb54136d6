#pragma once
// Python's pickles, as far as PyTorch writes weights with them. A pickle is a program for a stack machine that may call
// any function of Python; this machine calls nothing. It knows containers, numbers, texts and PyTorch's tensors, and
// refuses a pickle that names anything else. Opcodes: Python's pickletools.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mien/core/error.hpp>
#include <mien/io/formats/byte_reader.hpp>
#include <mien/io/formats/dtype.hpp>
#include <mien/io/formats/pickle_values.hpp>

namespace mien::inline v0::detail {

/// Runs pickles, one after the other, and keeps what they make. The bytes must outlive it.
class Pickle {
 public:
  using Id = PickleValue::Id;
  using Kind = PickleValue::Kind;
  /// Of all pickles of a file together; PyTorch writes about 25 for a tensor.
  static constexpr std::size_t max_values = 500000;
  /// Of all containers together, and of all that is taken out of them: one of them may be asked for again and again.
  static constexpr std::size_t max_items = 4000000;

  explicit Pickle(std::span<const std::byte> bytes) : reader_(bytes), longest_(bytes.size()) {}

  /// Runs the next pickle and returns what it leaves. Throws FileError.
  [[nodiscard]] Id load() {
    stack_.clear();
    memo_.clear();
    while (!step(reader_.take<std::uint8_t>())) {
    }
    return pop();
  }
  [[nodiscard]] std::size_t left() const { return reader_.left(); }
  [[nodiscard]] const PickleValue& operator[](Id id) const { return values_[id]; }
  [[nodiscard]] const std::vector<PickleStorage>& storages() const { return storages_; }
  [[nodiscard]] const std::vector<PickleTensor>& tensors() const { return tensors_; }

 private:
  [[noreturn]] static void damaged() { throw FileError("its pickle is damaged"); }

  Id make(PickleValue value) {
    if (values_.size() == max_values) throw FileError(text("its pickle has more than ", max_values, " values"));
    values_.push_back(std::move(value));
    return static_cast<Id>(values_.size() - 1);
  }
  void push(PickleValue value) { stack_.push_back(make(std::move(value))); }
  void count_items(std::size_t items) {
    items_ += items;
    if (items_ > max_items) throw FileError(text("its pickle has containers of more than ", max_items, " elements"));
  }
  [[nodiscard]] Id pop() {
    if (stack_.empty() || values_[stack_.back()].kind == Kind::mark) damaged();
    const Id id = stack_.back();
    stack_.pop_back();
    return id;
  }
  [[nodiscard]] PickleValue& top(Kind kind) {
    if (stack_.empty() || values_[stack_.back()].kind != kind) damaged();
    return values_[stack_.back()];
  }
  /// Takes what was pushed since the last mark, and the mark.
  [[nodiscard]] std::vector<Id> pop_to_mark() {
    auto mark = stack_.end();
    do {
      if (mark == stack_.begin()) damaged();
      --mark;
    } while (values_[*mark].kind != Kind::mark);
    std::vector<Id> items(mark + 1, stack_.end());
    stack_.erase(mark, stack_.end());
    return items;
  }
  [[nodiscard]] std::vector<Id> pop(std::size_t count) {
    std::vector<Id> items(count);
    for (std::size_t i = count; i-- > 0;) items[i] = pop();
    return items;
  }
  void push_text(std::size_t length) { push({.kind = Kind::text, .text = reader_.take_text(length)}); }
  void push_integer(std::int64_t number) { push({.kind = Kind::integer, .number = number}); }
  void push_long(std::size_t length);
  void push_global(std::string_view module, std::string_view name);
  void append(Kind kind, const std::vector<Id>& items);
  void put(std::size_t index);
  void get(std::size_t index);

  [[nodiscard]] bool step(std::uint8_t opcode);
  [[nodiscard]] bool step_scalar(std::uint8_t opcode);
  [[nodiscard]] bool step_container(std::uint8_t opcode);
  [[nodiscard]] bool step_memo(std::uint8_t opcode);

  void reduce();
  void persistent();
  void rebuild_tensor(const std::vector<Id>& arguments);
  [[nodiscard]] const PickleValue& expect(Id id, Kind kind) const;
  [[nodiscard]] std::vector<std::int64_t> numbers(Id id) const;
  [[nodiscard]] std::string_view line();

  ByteReader reader_;
  std::size_t longest_;
  std::size_t items_ = 0;
  std::deque<PickleValue> values_;  // references to its elements stay valid while others are made
  std::vector<Id> stack_;
  std::vector<Id> memo_;
  std::vector<PickleStorage> storages_;
  std::vector<PickleTensor> tensors_;
};

/// Carries out one instruction; true for the last.
inline bool Pickle::step(std::uint8_t opcode) {
  switch (opcode) {
    case 0x80:
      reader_.take(1);
      return false;  // PROTO
    case 0x95:
      reader_.take(8);
      return false;  // FRAME
    case '.':
      return true;
    case '(':
      push({.kind = Kind::mark});
      return false;
    case '0':
      static_cast<void>(pop());
      return false;
    case 'R':
      reduce();
      return false;
    case 'Q':
      persistent();
      return false;
    case 'c': {
      const std::string_view module = line(), name = line();
      push_global(module, name);
      return false;
    }
    case 0x93: {  // STACK_GLOBAL
      const Id name = pop(), module = pop();
      push_global(expect(module, Kind::text).text, expect(name, Kind::text).text);
      return false;
    }
    case 'b':  // BUILD: an OrderedDict's attributes (state_dict's _metadata) are of no use here
      static_cast<void>(pop());
      static_cast<void>(top(Kind::dictionary));
      return false;
    default:
      break;
  }
  if (step_scalar(opcode) || step_container(opcode) || step_memo(opcode)) return false;
  throw FileError(text("its pickle has the instruction ", int{opcode}, ", which weights do without"));
}

inline bool Pickle::step_scalar(std::uint8_t opcode) {
  switch (opcode) {
    case 'N':
      push({});
      break;
    case 0x88:
      push({.kind = Kind::boolean, .number = 1});
      break;
    case 0x89:
      push({.kind = Kind::boolean});
      break;
    case 'J':
      push_integer(reader_.take<std::int32_t>());
      break;
    case 'K':
      push_integer(reader_.take<std::uint8_t>());
      break;
    case 'M':
      push_integer(reader_.take<std::uint16_t>());
      break;
    case 0x8a:
      push_long(reader_.take<std::uint8_t>());
      break;
    case 0x8b:
      push_long(reader_.take<std::uint32_t>());
      break;
    case 'G':
      reader_.take(8), push({});
      break;
    case 'X':
    case 'T':
    case 'B':
      push_text(reader_.take<std::uint32_t>());
      break;
    case 0x8c:
    case 'U':
    case 'C':
      push_text(reader_.take<std::uint8_t>());
      break;
    case 0x8d:
      push_text(reader_.take<std::uint64_t>());
      break;
    default:
      return false;
  }
  return true;
}

inline bool Pickle::step_container(std::uint8_t opcode) {
  switch (opcode) {
    case ')':
      push({.kind = Kind::tuple});
      break;
    case 0x85:
    case 0x86:
    case 0x87:
      push({.kind = Kind::tuple, .items = pop(opcode - std::size_t{0x84})});
      break;
    case 't':
      push({.kind = Kind::tuple, .items = pop_to_mark()});
      break;
    case ']':
      push({.kind = Kind::list});
      break;
    case 'l':
      push({.kind = Kind::list, .items = pop_to_mark()});
      break;
    case 'a':
      append(Kind::list, pop(1));
      break;
    case 'e':
      append(Kind::list, pop_to_mark());
      break;
    case '}':
      push({.kind = Kind::dictionary});
      break;
    case 's':
      append(Kind::dictionary, pop(2));
      break;
    case 'u':
      append(Kind::dictionary, pop_to_mark());
      break;
    default:
      return false;
  }
  return true;
}

inline bool Pickle::step_memo(std::uint8_t opcode) {
  switch (opcode) {
    case 'q':
      put(reader_.take<std::uint8_t>());
      break;
    case 'r':
      put(reader_.take<std::uint32_t>());
      break;
    case 0x94:
      put(memo_.size());
      break;
    case 'h':
      get(reader_.take<std::uint8_t>());
      break;
    case 'j':
      get(reader_.take<std::uint32_t>());
      break;
    default:
      return false;
  }
  return true;
}

/// A whole number of any length; one beyond 64 bits is kept as its bytes.
inline void Pickle::push_long(std::size_t length) {
  const std::string_view bytes = reader_.take_text(length);
  if (length > 8) return push({.text = bytes});
  const bool negative = length > 0 && static_cast<signed char>(bytes.back()) < 0;
  std::uint64_t number = negative ? ~std::uint64_t{0} : 0;
  for (std::size_t i = length; i-- > 0;) number = (number << 8U) | static_cast<unsigned char>(bytes[i]);
  push_integer(static_cast<std::int64_t>(number));
}

inline void Pickle::append(Kind kind, const std::vector<Id>& items) {
  PickleValue& container = top(kind);
  if (kind == Kind::dictionary && items.size() % 2 != 0) damaged();
  count_items(items.size());
  container.items.insert(container.items.end(), items.begin(), items.end());
}

inline void Pickle::put(std::size_t index) {
  if (index > longest_ || stack_.empty()) damaged();
  if (index >= memo_.size()) memo_.resize(index + 1, static_cast<Id>(max_values));
  memo_[index] = stack_.back();
}

inline void Pickle::get(std::size_t index) {
  if (index >= memo_.size() || memo_[index] == max_values) damaged();
  stack_.push_back(memo_[index]);
}

/// Text up to the end of the line.
inline std::string_view Pickle::line() {
  const std::string_view rest = reader_.peek_text();
  const std::size_t end = rest.find('\n');
  if (end == std::string_view::npos) damaged();
  static_cast<void>(reader_.take(end + 1));
  return rest.substr(0, end);
}

/// A name of Python's. Only those that follow are let in, and even these are never called: `reduce` knows what they
/// would make.
inline void Pickle::push_global(std::string_view module, std::string_view name) {
  constexpr std::string_view known[] = {"collections.OrderedDict",
                                        "torch._utils._rebuild_tensor",
                                        "torch._utils._rebuild_tensor_v2",
                                        "torch._utils._rebuild_parameter",
                                        "torch._utils._rebuild_parameter_with_state",
                                        "torch.nn.parameter.Parameter",
                                        "torch.Size",
                                        "torch.device"};
  const std::string full = text(module, ".", name);
  const bool is_torch = module == "torch", is_storage = is_torch && name.ends_with("Storage");
  constexpr std::string_view dtypes[] = {"float16", "float32", "float64", "bfloat16", "uint8",
                                         "int8",    "int16",   "int32",   "int64",    "bool"};
  const bool is_dtype = is_torch && std::find(std::begin(dtypes), std::end(dtypes), name) != std::end(dtypes);
  const auto found = std::find(std::begin(known), std::end(known), full);
  if (is_dtype) return push({});
  if (is_storage) return push({.kind = Kind::global, .number = static_cast<std::int64_t>(storage_dtype(full))});
  if (found != std::end(known)) return push({.kind = Kind::global, .text = *found});
  throw FileError(text("its pickle asks Python for '", std::string_view(full).substr(0, 200),
                       "', which is neither a tensor nor a container: it is not called, and the file not read. Weights "
                       "alone are saved by torch.save(model.state_dict(), ...)"));
}

inline const PickleValue& Pickle::expect(Id id, Kind kind) const {
  if (values_[id].kind != kind) damaged();
  return values_[id];
}

inline std::vector<std::int64_t> Pickle::numbers(Id id) const {
  std::vector<std::int64_t> result;
  constexpr std::size_t most =
      64;  // PyTorch's; a shape of fewer that is still too long is refused with its tensor's name
  if (expect(id, Kind::tuple).items.size() > most) damaged();
  for (const Id item : expect(id, Kind::tuple).items) result.push_back(expect(item, Kind::integer).number);
  return result;
}

/// A call: what it would make is put in its place.
inline void Pickle::reduce() {
  const std::vector<Id>& arguments = expect(pop(), Kind::tuple).items;
  count_items(arguments.size());
  const std::string_view callee = expect(pop(), Kind::global).text;
  if (callee == "collections.OrderedDict") {
    PickleValue dictionary{.kind = Kind::dictionary};
    if (arguments.size() > 1) damaged();
    for (const Id list : arguments) {
      count_items(2 * expect(list, Kind::list).items.size());
      for (const Id pair : expect(list, Kind::list).items) {
        const std::vector<Id>& items = values_[pair].items;
        if (items.size() != 2 || values_[pair].kind == Kind::dictionary) damaged();
        dictionary.items.insert(dictionary.items.end(), items.begin(), items.end());
      }
    }
    push(std::move(dictionary));
  } else if (callee.starts_with("torch._utils._rebuild_tensor")) {
    rebuild_tensor(arguments);
  } else if (callee == "torch.device") {
    push({});
  } else if (callee == "torch.Size" && arguments.size() == 1) {
    stack_.push_back(arguments[0]);
  } else if ((callee.find("arameter") != std::string_view::npos) && !arguments.empty() &&
             values_[arguments[0]].kind == Kind::tensor) {
    stack_.push_back(arguments[0]);
  } else {
    damaged();
  }
}

/// (storage, offset, shape, strides, ...)
inline void Pickle::rebuild_tensor(const std::vector<Id>& arguments) {
  if (arguments.size() < 4) damaged();
  PickleTensor tensor;
  tensor.storage = static_cast<std::size_t>(expect(arguments[0], Kind::storage).number);
  tensor.offset = expect(arguments[1], Kind::integer).number;
  tensor.shape = numbers(arguments[2]);
  tensor.strides = numbers(arguments[3]);
  push({.kind = Kind::tensor, .number = static_cast<std::int64_t>(tensors_.size())});
  tensors_.push_back(std::move(tensor));
}

/// ("storage", class, key, device, number of elements[, view])
inline void Pickle::persistent() {
  const std::vector<Id>& id = expect(pop(), Kind::tuple).items;
  if (id.size() < 5 || expect(id[0], Kind::text).text != "storage") damaged();
  const PickleValue& type = expect(id[1], Kind::global);
  if (!type.text.empty()) damaged();
  if (id.size() > 5 && values_[id[5]].kind == Kind::tuple)
    throw FileError("its storages are views of others, as PyTorch before 0.4 wrote them; save it with a newer one");
  push({.kind = Kind::storage, .number = static_cast<std::int64_t>(storages_.size())});
  storages_.push_back({.dtype = static_cast<DType>(type.number),
                       .key = expect(id[2], Kind::text).text,
                       .count = expect(id[4], Kind::integer).number});
}

}  // namespace mien::inline v0::detail
