#include "program.h"

#include <ATen/core/Tensor.h>
#include <ATen/core/jit_type.h>

#include <algorithm>
#include <cmath>
#include <unordered_map>
#include <unordered_set>

#include "error.h"
#include "operators.h"

namespace tensorloom {
namespace {

constexpr int kMaxValues = 1'000'000;
constexpr size_t kMaxOps = 100'000;
constexpr size_t kMaxAxes = 16;
constexpr int kMaxNesting = 24;
constexpr size_t kMaxNameBytes = 500;
/// Larger than any machine's memory, small enough that sizes in bytes never overflow.
constexpr int64_t kMaxElements = int64_t{1} << 44;
constexpr int64_t kMaxInteger = 9007199254740991;

std::string in_quotes(const std::string& text) { return "\"" + text + "\""; }

/// Reads ops in order, keeping which values are in sight.
class Reader {
 public:
  explicit Reader(Program& program) : program_(program) {}

  void read(const JsonPlace& place) {
    place.fields({"version", "inputs", "weights", "ops", "outputs"});
    if (place.at("version").integer(0, kMaxInteger) != 1) place.at("version").fail("this engine reads programs of version 1");
    read_inputs(place.at("inputs"));
    read_weights(place.at("weights"));
    read_ops(place.at("ops"), program_.body, 0);
    const JsonPlace outputs = place.at("outputs");
    std::unordered_set<std::string> names;
    for (size_t i = 0; i < outputs.size(kMaxOps); ++i) {
      const JsonPlace item = outputs.at(i);
      item.fields({"value", "name"});
      Output output{use(item.at("value")), name(item.at("name"))};
      if (!names.insert(output.name).second) item.at("name").fail("a second output named " + in_quotes(output.name));
      program_.body.outputs.push_back(output.value);
      program_.outputs.push_back(std::move(output));
    }
    program_.value_count = highest_ + 1;
  }

 private:
  static std::string name(const JsonPlace& place) {
    const std::string& text = place.text();
    if (text.empty() || text.size() > kMaxNameBytes) place.fail("expected a name of 1 to " + std::to_string(kMaxNameBytes) + " bytes");
    return text;
  }

  int define(const JsonPlace& place) {
    const int value = static_cast<int>(place.integer(0, kMaxValues - 1));
    if (!written_.insert(value).second) place.fail("value " + std::to_string(value) + " is written a second time");
    visible_.insert(value);
    highest_ = std::max(highest_, value);
    scope_.push_back(value);
    return value;
  }

  int use(const JsonPlace& place) const {
    const int value = static_cast<int>(place.integer(0, kMaxValues - 1));
    if (!visible_.contains(value)) place.fail("value " + std::to_string(value) + " is not known here");
    return value;
  }

  std::vector<int> uses(const JsonPlace& place) const {
    std::vector<int> values(place.size(kMaxOps));
    for (size_t i = 0; i < values.size(); ++i) values[i] = use(place.at(i));
    return values;
  }

  std::vector<int> defines(const JsonPlace& place) {
    std::vector<int> values(place.size(kMaxOps));
    for (size_t i = 0; i < values.size(); ++i) values[i] = define(place.at(i));
    return values;
  }

  void read_inputs(const JsonPlace& place) {
    for (size_t i = 0; i < place.size(256); ++i) {
      const JsonPlace item = place.at(i);
      item.fields({"value", "name", "dtype", "shape", "node"});
      Input input{define(item.at("value")), name(item.at("name")), dtype_named(item.at("dtype")), {}, item.at("node").text()};
      const JsonPlace shape = item.at("shape");
      for (size_t axis = 0; axis < shape.size(kMaxAxes); ++axis) {
        const JsonPlace size = shape.at(axis);
        if (std::holds_alternative<std::string>(size.json().value)) input.shape.emplace_back(name(size));
        else input.shape.emplace_back(size.integer(0, kMaxElements));
      }
      for (const Input& other : program_.inputs)
        if (other.name == input.name) item.at("name").fail("a second input named " + in_quotes(input.name));
      program_.inputs.push_back(std::move(input));
    }
  }

  void read_weights(const JsonPlace& place) {
    std::unordered_set<std::string> names;
    for (size_t i = 0; i < place.size(kMaxOps); ++i) {
      const JsonPlace item = place.at(i);
      item.fields({"value", "name", "dtype", "shape", "init", "trainable", "node"});
      Weight weight{define(item.at("value")), name(item.at("name")), dtype_named(item.at("dtype")), {}, Constant{0}, item.at("trainable").boolean(), item.at("node").text()};
      // "/" tells optimizer state from weights in a checkpoint.
      if (weight.name.find('/') != std::string::npos || weight.name == "__metadata__") item.at("name").fail("a weight's name holds no \"/\" and is not __metadata__");
      if (!names.insert(weight.name).second) item.at("name").fail("a second weight named " + in_quotes(weight.name));
      item.at("shape").size(kMaxAxes);
      weight.shape = item.at("shape").integers(0, kMaxElements);
      int64_t elements = 1;
      for (const int64_t size : weight.shape) {
        if (size != 0 && elements > kMaxElements / size) item.at("shape").fail("too large to exist");
        elements *= size;
      }
      if (weight.trainable && weight.dtype != c10::kFloat) item.at("dtype").fail("only float32 weights can be trained");
      weight.init = init(item.at("init"), weight, elements);
      program_.weights.push_back(std::move(weight));
    }
  }

  static Init init(const JsonPlace& place, const Weight& weight, int64_t elements) {
    constexpr double kLargest = 3.4e38;
    const auto number = [&](const char* key) { return place.at(key).number(-kLargest, kLargest); };
    const Json* kind = place.json().find("kind");
    if (!kind) place.fail("\"kind\" is missing");
    switch (place.at("kind").choice({"uniform", "normal", "constant", "values"})) {
      case 0: {
        place.fields({"kind", "low", "high", "zero?"});
        const Uniform uniform{number("low"), number("high"), place.has("zero") && place.at("zero").boolean()};
        if (weight.dtype != c10::kFloat) place.fail("only float32 weights are drawn at random");
        if (uniform.low > uniform.high || uniform.high - uniform.low > kLargest) place.fail("low must not exceed high, nor their distance the largest float32");
        return uniform;
      }
      case 1: {
        place.fields({"kind", "mean", "std", "zeroRow?"});
        Normal normal{number("mean"), place.at("std").number(0, kLargest), -1};
        if (weight.dtype != c10::kFloat) place.fail("only float32 weights are drawn at random");
        if (place.has("zeroRow")) normal.zero_row = place.at("zeroRow").integer(0, weight.shape.empty() ? -1 : weight.shape[0] - 1);
        return normal;
      }
      case 2: {
        place.fields({"kind", "value"});
        return Constant{number("value")};
      }
      default: {
        place.fields({"kind", "values"});
        Values values{place.at("values").numbers()};
        if (static_cast<int64_t>(values.values.size()) != elements) place.at("values").fail(std::to_string(values.values.size()) + " numbers for " + std::to_string(elements) + " elements");
        return values;
      }
    }
  }

  /// Reads `ops` into `block`. Values defined inside go out of sight at its end, except at the top.
  void read_ops(const JsonPlace& place, Block& block, int nesting) {
    if (nesting > kMaxNesting) place.fail("more than " + std::to_string(kMaxNesting) + " blocks within one another");
    for (size_t i = 0; i < place.size(kMaxOps); ++i) {
      if (++op_count_ > kMaxOps) place.fail("more than " + std::to_string(kMaxOps) + " operations");
      block.ops.push_back(read_op(place.at(i), nesting));
    }
  }

  Op read_op(const JsonPlace& place, int nesting) {
    const std::string& what = place.at("op").text();
    const std::string& node = place.at("node").text();
    try {
      Op op = what == "if" ? read_if(place, nesting) : what == "while" ? read_while(place, nesting) : what == "repeat" ? read_repeat(place, nesting) : what == "switch" ? read_switch(place, nesting) : read_call(place, what);
      const auto [known, is_new] = places_.try_emplace(node, static_cast<int32_t>(program_.nodes.size()) + 1);
      if (is_new) program_.nodes.push_back(node);
      op.place = known->second;
      return op;
    } catch (EngineError& error) {
      // The innermost node is the one to blame.
      if (error.failure.node.empty()) error.failure.node = node;
      if (error.failure.op.empty() && what.starts_with("aten::")) error.failure.op = what;
      throw;
    }
  }

  Block read_block(const JsonPlace& place, int nesting, size_t inputs, size_t outputs) {
    place.fields({"inputs", "ops", "outputs"});
    Block block;
    const size_t scope_start = scope_.size();
    block.inputs = defines(place.at("inputs"));
    if (block.inputs.size() != inputs) place.at("inputs").fail(std::to_string(block.inputs.size()) + " values where the block takes " + std::to_string(inputs));
    read_ops(place.at("ops"), block, nesting + 1);
    block.outputs = uses(place.at("outputs"));
    if (block.outputs.size() != outputs) place.at("outputs").fail(std::to_string(block.outputs.size()) + " values where the block yields " + std::to_string(outputs));
    for (size_t i = scope_start; i < scope_.size(); ++i) visible_.erase(scope_[i]);
    scope_.resize(scope_start);
    return block;
  }

  Op read_if(const JsonPlace& place, int nesting) {
    place.fields({"op", "cond", "blocks", "out", "node"});
    Op op(Op::Kind::If, "if", place.at("node").text());
    const JsonPlace cond = place.at("cond");
    if (cond.has("flag")) cond.fields({"flag"}).at("flag").choice({"training"});
    else op.cond = use(cond);
    const JsonPlace blocks = place.at("blocks");
    if (blocks.size() != 2) blocks.fail("an If has two blocks");
    const size_t count = place.at("out").size(kMaxOps);
    for (size_t i = 0; i < 2; ++i) op.blocks.push_back(read_block(blocks.at(i), nesting, 0, count));
    op.out = defines(place.at("out"));
    return op;
  }

  Op read_while(const JsonPlace& place, int nesting) {
    place.fields({"op", "init", "blocks", "maxIterations", "limit", "out", "node"});
    Op op(Op::Kind::While, "while", place.at("node").text());
    op.init = uses(place.at("init"));
    op.max_iterations = place.at("maxIterations").integer(1, 10'000);
    op.limit_fails = place.at("limit").choice({"fail", "stop"}) == 0;
    const JsonPlace blocks = place.at("blocks");
    if (blocks.size() != 2) blocks.fail("a While has two blocks: the question and the turn");
    op.blocks.push_back(read_block(blocks.at(0), nesting, op.init.size(), 1));
    op.blocks.push_back(read_block(blocks.at(1), nesting, op.init.size(), op.init.size()));
    op.out = defines(place.at("out"));
    if (op.out.size() != op.init.size()) place.at("out").fail("a While yields as many values as it carries");
    return op;
  }

  Op read_repeat(const JsonPlace& place, int nesting) {
    place.fields({"op", "init", "times", "scan?", "stack?", "reverse?", "maxIterations", "blocks", "out", "node"});
    Op op(Op::Kind::Repeat, "repeat", place.at("node").text());
    op.init = uses(place.at("init"));
    const JsonPlace times = place.at("times");
    if (times.has("v")) op.times_value = use(times.fields({"v"}).at("v"));
    else if (times.has("size")) op.times_size = size_of(times);
    else op.times = times.integer(0, 10'000);
    if (place.has("scan")) {
      const JsonPlace scans = place.at("scan");
      for (size_t i = 0; i < scans.size(kMaxOps); ++i) op.scans.push_back(size_pair(scans.at(i)));
    }
    if (place.has("stack")) {
      place.at("stack").size(kMaxOps);
      op.stacks = place.at("stack").integers(0, kMaxAxes - 1);
    }
    op.reverse = place.has("reverse") && place.at("reverse").boolean();
    op.max_iterations = place.at("maxIterations").integer(1, 10'000);
    if (op.times > op.max_iterations) times.fail("more turns than maxIterations");
    const JsonPlace blocks = place.at("blocks");
    if (blocks.size() != 1) blocks.fail("a Repeat has one block");
    const size_t yields = op.init.size() + op.stacks.size();
    op.blocks.push_back(read_block(blocks.at(0), nesting, 1 + op.scans.size() + op.init.size(), yields));
    op.out = defines(place.at("out"));
    if (op.out.size() != yields) place.at("out").fail("a Repeat yields as many values as it carries and stacks");
    program_.has_repeat = true;
    return op;
  }

  Op read_switch(const JsonPlace& place, int nesting) {
    place.fields({"op", "index", "args", "blocks", "out", "node"});
    Op op(Op::Kind::Switch, "switch", place.at("node").text());
    op.cond = use(place.at("index"));
    op.init = uses(place.at("args"));
    const JsonPlace blocks = place.at("blocks");
    const size_t cases = blocks.size(64);
    if (cases < 1) blocks.fail("a Switch has at least one block");
    const size_t count = place.at("out").size(kMaxOps);
    for (size_t i = 0; i < cases; ++i) op.blocks.push_back(read_block(blocks.at(i), nesting, op.init.size(), count));
    op.out = defines(place.at("out"));
    return op;
  }

  Op read_call(const JsonPlace& place, const std::string& name) {
    place.fields({"op", "args", "out", "node"});
    if (!is_allowed(name)) throw EngineError("OP_NOT_ALLOWED", place.path() + ": the operator " + in_quotes(name) + " is not one a program may call.");
    const size_t dot = name.find('.');
    const auto handle = c10::Dispatcher::singleton().findSchema({name.substr(0, dot), dot == std::string::npos ? "" : name.substr(dot + 1)});
    if (!handle) place.at("op").fail("this libtorch has no operator " + in_quotes(name));
    const c10::FunctionSchema& schema = handle->schema();

    Op op(Op::Kind::Call, name, place.at("node").text());
    op.handle = handle;
    op.guard = guard_of(name);
    const JsonPlace args = place.at("args");
    const size_t given = args.size(64);
    if (given > schema.arguments().size()) args.fail(std::to_string(given) + " arguments where " + name + " takes " + std::to_string(schema.arguments().size()));
    for (size_t i = 0; i < schema.arguments().size(); ++i) {
      const c10::Argument& declared = schema.arguments()[i];
      if (is_device(declared)) {
        // A few operators want an argument, such as lengths, on the host; all else is where the run is.
        const auto* named = i < given ? std::get_if<std::string>(&args.at(i).json().value) : nullptr;
        if (named && *named == "cpu") {
          op.args.emplace_back(c10::IValue(at::Device(at::kCPU)));
        } else {
          if (i < given && !args.at(i).json().is_null()) args.at(i).fail("the device is the engine's to choose; say null, or \"cpu\"");
          op.args.emplace_back(RunDevice{});
        }
      } else if (i < given) {
        op.args.push_back(argument(args.at(i), declared));
      } else if (declared.default_value()) {
        op.args.emplace_back(*declared.default_value());
      } else {
        args.fail("argument " + in_quotes(declared.name()) + " of " + name + " is missing");
      }
    }
    check_writes(args, op);
    op.out = defines(place.at("out"));
    size_t returns = schema.returns().size();
    // One returned list of tensors may fill any number of values.
    if (returns == 1 && schema.returns()[0].type()->kind() == c10::TypeKind::ListType) returns = kMaxOps;
    if (op.out.size() > returns) place.at("out").fail(std::to_string(op.out.size()) + " values where " + name + " returns " + std::to_string(returns));
    program_.has_random = program_.has_random || is_random(name);
    return op;
  }

  /// What an operator writes to must be a buffer of the program: never its data, which may lie in a read-only mapping.
  void check_writes(const JsonPlace& args, Op& op) const {
    const auto& declared = op.handle->schema().arguments();
    for (size_t i = 0; i < declared.size(); ++i) {
      const bool declares = declared[i].alias_info() && declared[i].alias_info()->isWrite();
      if (!declares && !writes_silently(op.name, i)) continue;
      op.writes = op.writes || declares;
      const auto* use = std::get_if<Use>(&op.args[i]);
      if (!use) continue;
      if (std::none_of(program_.weights.begin(), program_.weights.end(), [&](const Weight& weight) { return weight.value == use->value && !weight.trainable; }))
        args.at(i).fail(op.name + " writes to its argument " + in_quotes(declared[i].name()) + ", which must be a weight that is not trained");
    }
  }

  static c10::TypePtr without_optional(const c10::TypePtr& type) {
    return type->kind() == c10::TypeKind::OptionalType ? type->expectRef<c10::OptionalType>().getElementType() : type;
  }

  static bool is_device(const c10::Argument& declared) { return without_optional(declared.type())->kind() == c10::TypeKind::DeviceObjType; }

  SizeOf size_of(const JsonPlace& place) const { return size_pair(place.fields({"size"}).at("size")); }

  SizeOf size_pair(const JsonPlace& pair) const {
    if (pair.size() != 2) pair.fail("expected [value, axis]");
    return {use(pair.at(0)), pair.at(1).integer(-static_cast<int64_t>(kMaxAxes), kMaxAxes - 1)};
  }

  Argument argument(const JsonPlace& place, const c10::Argument& declared) const {
    const bool optional = declared.type()->kind() == c10::TypeKind::OptionalType;
    const c10::TypePtr type = without_optional(declared.type());
    const c10::TypePtr real = without_optional(declared.real_type());
    const auto mismatch = [&]() { place.fail("argument " + in_quotes(declared.name()) + " must be " + declared.real_type()->str()); };
    if (place.json().is_null()) {
      if (!optional) mismatch();
      return c10::IValue();
    }
    const bool is_text = std::holds_alternative<std::string>(place.json().value);
    switch (type->kind()) {
      case c10::TypeKind::TensorType:
        if (!place.has("v")) mismatch();
        return Use{use(place.fields({"v"}).at("v"))};
      case c10::TypeKind::BoolType:
        if (place.has("flag")) {
          place.fields({"flag"}).at("flag").choice({"training"});
          return TrainingFlag{};
        }
        return c10::IValue(place.boolean());
      case c10::TypeKind::IntType:
      case c10::TypeKind::SymIntType:
        if (place.has("size")) return size_of(place);
        if (real->kind() == c10::TypeKind::ScalarTypeType) return c10::IValue(static_cast<int64_t>(dtype_named(place)));
        // Layouts and memory formats are ints underneath; they are the engine's business.
        if (real->kind() == c10::TypeKind::LayoutType || real->kind() == c10::TypeKind::MemoryFormatType) mismatch();
        return c10::IValue(place.integer(-kMaxInteger, kMaxInteger));
      case c10::TypeKind::FloatType: return c10::IValue(place.number());
      case c10::TypeKind::NumberType: {
        if (place.has("flag")) {
          place.fields({"flag"}).at("flag").choice({"training"});
          return TrainingFlag{};
        }
        if (place.has("size")) return size_of(place);
        const double number = place.number();
        const bool whole = number == std::floor(number) && std::abs(number) <= static_cast<double>(kMaxInteger);
        return whole ? c10::IValue(static_cast<int64_t>(number)) : c10::IValue(number);
      }
      case c10::TypeKind::StringType:
        if (!is_text) mismatch();
        return c10::IValue(place.text());
      case c10::TypeKind::ListType: return list_argument(place, declared, type);
      default: mismatch();
    }
    return c10::IValue();
  }

  Argument list_argument(const JsonPlace& place, const c10::Argument& declared, const c10::TypePtr& type) const {
    const c10::TypePtr element = type->expectRef<c10::ListType>().getElementType();
    const bool optional = element->kind() == c10::TypeKind::OptionalType;
    switch (without_optional(element)->kind()) {
      case c10::TypeKind::TensorType: return UseList{uses(place.fields({"vs"}).at("vs")), optional};
      case c10::TypeKind::FloatType: return c10::IValue(place.fields({"floats"}).at("floats").numbers());
      case c10::TypeKind::IntType:
      case c10::TypeKind::SymIntType: {
        // `int[2] stride` takes one number for both, as in Python.
        if (declared.N() && std::holds_alternative<double>(place.json().value))
          return c10::IValue(std::vector<int64_t>(static_cast<size_t>(*declared.N()), place.integer(-kMaxInteger, kMaxInteger)));
        const JsonPlace items = place.fields({"ints"}).at("ints");
        IntList list;
        std::vector<int64_t> constants;
        for (size_t i = 0; i < items.size(256); ++i) {
          if (items.at(i).has("size")) {
            list.items.emplace_back(size_of(items.at(i)));
          } else {
            list.items.emplace_back(items.at(i).integer(-kMaxInteger, kMaxInteger));
            constants.push_back(std::get<int64_t>(list.items.back()));
          }
        }
        if (constants.size() == list.items.size()) return c10::IValue(constants);
        return list;
      }
      default: place.fail("argument " + in_quotes(declared.name()) + " has a type programs cannot say: " + type->str());
    }
  }

  Program& program_;
  std::unordered_set<int> written_;
  std::unordered_set<int> visible_;
  std::vector<int> scope_;
  int highest_ = -1;
  size_t op_count_ = 0;
  std::unordered_map<std::string, int32_t> places_;
};

/// Calls `visit` with every value that `op` reads, those of its nested blocks included.
template <typename Visit>
void each_use(const Op& op, const Visit& visit) {
  for (const Argument& arg : op.args) {
    if (const auto* one = std::get_if<Use>(&arg)) visit(one->value);
    if (const auto* size = std::get_if<SizeOf>(&arg)) visit(size->value);
    if (const auto* list = std::get_if<UseList>(&arg))
      for (const int value : list->values) visit(value);
    if (const auto* ints = std::get_if<IntList>(&arg))
      for (const auto& item : ints->items)
        if (const auto* size = std::get_if<SizeOf>(&item)) visit(size->value);
  }
  if (op.cond >= 0) visit(op.cond);
  if (op.times_value >= 0) visit(op.times_value);
  if (op.times_size) visit(op.times_size->value);
  for (const SizeOf& scan : op.scans) visit(scan.value);
  for (const int value : op.init) visit(value);
  for (const Block& block : op.blocks) {
    for (const Op& inner : block.ops) each_use(inner, visit);
    for (const int value : block.outputs) visit(value);
  }
}

bool has_effect(const Op& op) {
  return op.writes || std::any_of(op.blocks.begin(), op.blocks.end(), [](const Block& block) { return std::any_of(block.ops.begin(), block.ops.end(), has_effect); });
}

/// What a Repeat would stack for nobody.
template <typename Needed>
void prune_stacks(Op& op, const Needed& needed) {
  for (size_t i = op.stacks.size(); i-- > 0;) {
    const auto at = static_cast<std::ptrdiff_t>(op.init.size() + i);
    if (needed.contains(op.out[static_cast<size_t>(at)])) continue;
    op.out.erase(op.out.begin() + at);
    op.blocks[0].outputs.erase(op.blocks[0].outputs.begin() + at);
    op.stacks.erase(op.stacks.begin() + static_cast<std::ptrdiff_t>(i));
  }
}

void prune(Block& block) {
  std::unordered_set<int> needed(block.outputs.begin(), block.outputs.end());
  std::vector<Op> kept;
  for (auto op = block.ops.rbegin(); op != block.ops.rend(); ++op) {
    if (!has_effect(*op) && std::none_of(op->out.begin(), op->out.end(), [&](int value) { return needed.contains(value); })) continue;
    prune_stacks(*op, needed);
    for (Block& inner : op->blocks) prune(inner);
    each_use(*op, [&](int value) { needed.insert(value); });
    kept.push_back(std::move(*op));
  }
  std::reverse(kept.begin(), kept.end());
  block.ops = std::move(kept);
}

/// Notes on each op the values of this block that nobody reads after it.
void plan_frees(Block& block) {
  std::unordered_map<int, size_t> last;
  for (const int value : block.inputs) last[value] = 0;
  for (size_t i = 0; i < block.ops.size(); ++i) {
    each_use(block.ops[i], [&](int value) {
      if (const auto found = last.find(value); found != last.end()) found->second = i;
    });
    for (const int value : block.ops[i].out) last[value] = i;
  }
  block.own_outputs.clear();
  for (const int value : block.outputs)
    if (last.erase(value)) block.own_outputs.push_back(value);
  for (Op& op : block.ops) {
    op.frees.clear();
    for (Block& inner : op.blocks) plan_frees(inner);
  }
  if (block.ops.empty()) return;
  for (const auto& [value, index] : last) block.ops[index].frees.push_back(value);
}

} // namespace

Program Program::read(const JsonPlace& place) {
  Program program;
  Reader(program).read(place);
  return program;
}

Program Program::only(const std::vector<std::string>& output_names) const {
  Program kept = *this;
  kept.outputs.clear();
  kept.body.outputs.clear();
  for (const std::string& name : output_names)
    for (const Output& output : outputs)
      if (output.name == name) {
        kept.outputs.push_back(output);
        kept.body.outputs.push_back(output.value);
      }
  prune(kept.body);
  for (const Input& input : kept.inputs) kept.body.inputs.push_back(input.value);
  plan_frees(kept.body);
  return kept;
}

Program Program::up_to(const std::vector<int>& values) const {
  Program part = *this;
  part.outputs.clear();
  std::vector<std::string> names;
  for (const int value : values) {
    names.push_back(feature_name(value));
    part.outputs.push_back({value, names.back()});
  }
  // Nothing is written where nothing is trained.
  std::erase_if(part.body.ops, has_effect);
  return part.only(names);
}

Program Program::behind(const std::vector<int>& values) const {
  Program part = *this;
  const auto is_given = [&](int value) { return std::find(values.begin(), values.end(), value) != values.end(); };
  std::vector<Input> given;
  for (const Op& op : body.ops)
    for (const int value : op.out)
      // Its sizes are those of what is put in; nobody else feeds it.
      if (is_given(value)) given.push_back({value, feature_name(value), c10::kFloat, {}, op.node});
  std::erase_if(part.body.ops, [&](const Op& op) { return std::any_of(op.out.begin(), op.out.end(), is_given); });
  part.body.outputs.clear();
  for (const Output& output : outputs) part.body.outputs.push_back(output.value);
  prune(part.body);
  std::unordered_set<int> needed(part.body.outputs.begin(), part.body.outputs.end());
  for (const Op& op : part.body.ops) each_use(op, [&](int value) { needed.insert(value); });
  std::erase_if(part.inputs, [&](const Input& input) { return !needed.contains(input.value); });
  part.inputs.insert(part.inputs.begin(), given.begin(), given.end());
  return part;
}

bool Program::makes(int value) const {
  return std::any_of(body.ops.begin(), body.ops.end(), [&](const Op& op) { return op.kind == Op::Kind::Call && std::find(op.out.begin(), op.out.end(), value) != op.out.end(); });
}

namespace {

/// Which argument of an operator is the share that it drops while training; none: it drops nothing.
std::optional<size_t> share_of(const Op& op) {
  if (!op.handle) return std::nullopt;
  const auto& declared = op.handle->schema().arguments();
  for (size_t i = 0; i < declared.size(); ++i)
    if (declared[i].name() == "dropout" || (declared[i].name() == "p" && op.name.find("dropout") != std::string::npos)) return i;
  return std::nullopt;
}

size_t set_dropout_in(Block& block, const std::string& node, double p) {
  size_t count = 0;
  for (Op& op : block.ops) {
    for (Block& inner : op.blocks) count += set_dropout_in(inner, node, p);
    if (!node.empty() && op.node != node && !op.node.starts_with(node + "/")) continue;
    const std::optional<size_t> share = share_of(op);
    if (!share) continue;
    op.args[*share] = c10::IValue(p);
    ++count;
  }
  return count;
}

} // namespace

size_t Program::set_dropout(const std::string& node, double p) { return set_dropout_in(body, node, p); }

bool Program::has_output(const std::string& name) const {
  return std::any_of(outputs.begin(), outputs.end(), [&](const Output& output) { return output.name == name; });
}

c10::ScalarType dtype_named(const JsonPlace& place) {
  constexpr c10::ScalarType kTypes[] = {c10::kFloat, c10::kLong, c10::kBool, c10::kByte};
  return kTypes[place.choice({"float32", "int64", "bool", "uint8"})];
}

const char* dtype_name(c10::ScalarType dtype) {
  switch (dtype) {
    case c10::kFloat: return "float32";
    case c10::kLong: return "int64";
    case c10::kBool: return "bool";
    case c10::kByte: return "uint8";
    case c10::kBFloat16: return "bfloat16";
    case c10::kDouble: return "float64";
    default: return c10::toString(dtype);
  }
}

} // namespace tensorloom
