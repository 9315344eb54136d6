// The member functions of Model, included by model.hpp.

namespace mien::inline v0 {

template <class T>
Model<T>::Model(const Node& input, const Node& output, ModelOptions options)
    : options_(std::move(options)),
      network_(std::make_shared<const Network<T>>(
          input, output, options_.arithmetic, options_.autotune ? std::make_unique<kernels::ConvChoices>() : nullptr)) {
  if (options_.name.empty()) options_.name = "model";
  layout_ = std::make_shared<const ParameterLayout<T>>(*network_);
  values_ = std::make_unique<ParameterBlock<T>>(*layout_, true);
  context_ = std::make_unique<Context<T>>(*network_);
  for (const Node& node : network_->graph.nodes) trainable_.push_back(node.layer().trainable());
  check(options_.preprocessing, input_shape());
  set_threads(options_.threads);
  initialize(*layout_, options_.seed, *values_);
}

template <class T>
Model<T>::Model(const Sequential& layers, ModelOptions options)
    : Model(layers.input(), layers.output(), [&] {
        if (options.name.empty()) options.name = "sequential";
        options.sequential = true;
        return std::move(options);
      }()) {}

template <class T>
Model<T>::Model(const Application& network, ModelOptions options)
    : Model(network.input, network.output, [&] {
        if (options.name.empty()) options.name = network.name;
        if (!options.preprocessing.changes_pixels()) {
          Preprocessing own = network.preprocessing;
          own.classes = std::move(options.preprocessing.classes);
          options.preprocessing = std::move(own);
        }
        return std::move(options);
      }()) {}

template <class T>
Model<T>::Model(const Model& other)
    : options_(other.options_),
      threads_(other.threads_),
      network_(other.network_),
      layout_(other.layout_),
      values_(std::make_unique<ParameterBlock<T>>(other.copy_values())),
      trainable_(other.trainable_),
      context_(std::make_unique<Context<T>>(*network_)) {
  if (other.trainer_) trainer_ = std::make_unique<Trainer<T>>(*other.trainer_, *network_, *layout_);
}

template <class T>
Model<T>& Model<T>::operator=(Model other) noexcept {
  std::destroy_at(this);
  return *std::construct_at(this, std::move(other));
}

template <class T>
void Model<T>::forget() {
  predictor_.reset();
  for (auto& plan : plans_) plan.reset();
}

template <class T>
void Model<T>::set_threads(int threads) {
  if (threads < 0)
    throw OptionError(
        text("model '", name(), "': threads is at least 0 (0: all that the process may use), got ", threads));
  threads_ = threads == 0 ? available_threads() : threads;
  forget();
}

template <class T>
void Model<T>::set_preprocessing(Preprocessing preprocessing) {
  check(preprocessing, input_shape());
  options_.preprocessing = std::move(preprocessing);
  forget();
}

template <class T>
std::string Model<T>::tuned_algorithms() const {
  return autotune() ? detail::to_text(*network_->choices) : std::string();
}

template <class T>
void Model<T>::set_tuned_algorithms(const std::string& lines) {
  if (!autotune())
    throw OptionError(text("model '", name(), "' was made without .autotune = true: it measures nothing"));
  const auto& nodes = network_->graph.nodes;  // predictors and copies keep the network that they have
  network_ = std::make_shared<const Network<T>>(nodes.front(), nodes.back(), options_.arithmetic,
                                                detail::choices_from<T>(lines));
  context_ = std::make_unique<Context<T>>(*network_);
  forget();
}

template <class T>
std::string Model<T>::summary() const {
  std::vector<SummaryRow> rows;
  std::vector<std::int64_t> counts(static_cast<std::size_t>(network_->size()), 0);
  SummaryTotals totals;
  for (const Parameter& parameter : parameters()) {
    const bool learns = !parameter.statistic && is_trainable(parameter.node);
    (learns ? totals.trainable : totals.non_trainable) += parameter.shape.size();
    counts[static_cast<std::size_t>(parameter.node)] += parameter.shape.size();
  }
  bool is_chain = true;
  for (int node = is_sequential() ? 1 : 0; node < network_->size(); ++node) {
    const auto i = static_cast<std::size_t>(node);
    SummaryRow row{network_->graph.names[i],
                   std::string(network_->graph.nodes[i].layer().type()),
                   network_->shape(node),
                   counts[i],
                   {},
                   network_->graph.inputs[i].empty()};
    for (const int source : network_->graph.inputs[i])
      row.connections.push_back(network_->graph.names[static_cast<std::size_t>(source)]);
    is_chain = is_chain && row.connections.size() <= 1 && network_->graph.consumers[i] <= 1;
    rows.push_back(std::move(row));
  }
  return summary_table(name(), rows, is_chain, totals);
}

template <class T>
std::int64_t Model<T>::count_parameters() const {
  std::int64_t count = 0;
  for (const Parameter& parameter : parameters()) count += parameter.shape.size();
  return count;
}

template <class T>
MemoryReport Model<T>::memory(std::int64_t batch_size) const {
  if (batch_size < 1) throw OptionError(text("model '", name(), "': a batch has at least 1 sample, got ", batch_size));
  const auto bytes = [](std::int64_t elements) { return static_cast<std::size_t>(elements) * sizeof(T); };
  const PlanKind kind = trainer_ ? train_plan : test_plan;
  MemoryReport report;
  report.parameters = bytes(layout_->size());
  report.activations = Plan<T>(*network_, plan_options(kind, batch_size)).memory().bytes();
  if (!trainer_) return report;
  report.gradients = trainer_->gradient_bytes();
  report.optimizer = bytes(layout_->gradient_size()) * trainer_->slots().size();
  report.batches = 2 * (round_to_cache_line(bytes(batch_size * input_shape().size())) +
                        round_to_cache_line(bytes(batch_size * trainer_->target_width())));
  return report;
}

template <class T>
TensorView<const T> Model<T>::parameter(std::string_view name) const {
  for (std::size_t i = 0; i < parameters().size(); ++i)
    if (parameters()[i].name == name) return (*values_)[i];
  std::vector<std::string> names;
  for (const Parameter& parameter : parameters()) names.push_back(parameter.name);
  throw OptionError(text("model '", options_.name, "' has no parameter '", name, "'; it has: ", join(names)));
}

template <class T>
TensorView<T> Model<T>::parameter(std::string_view name) {
  const TensorView<const T> view = std::as_const(*this).parameter(name);
  predictor_.reset();
  return {const_cast<T*>(view.data()), view.shape()};
}

template <class T>
ParameterBlock<T>& Model<T>::values() {
  predictor_.reset();
  return *values_;
}

template <class T>
ParameterBlock<T> Model<T>::copy_values() const {
  ParameterBlock<T> copy(*layout_, true);
  std::copy(values_->values().begin(), values_->values().end(), copy.values().begin());
  return copy;
}

template <class T>
int Model<T>::set_trainable(bool trainable, const LayerPredicate& which) {
  int count = 0;
  for (std::size_t node = 0; node < trainable_.size(); ++node) {
    if (!which(network_->graph.names[node])) continue;
    trainable_[node] = trainable;
    ++count;
  }
  if (count == 0)
    throw OptionError(
        text("model '", name(), "': no layer is meant by that name; the model has: ", join(network_->graph.names)));
  forget();
  return count;
}

template <class T>
void Model<T>::compile(CompileOptions options) {
  trainer_ = std::make_unique<Trainer<T>>(std::move(options), *network_, *layout_);
  forget();
}

template <class T>
Trainer<T>& Model<T>::trainer() {
  if (!trainer_)
    throw OptionError(
        text("model '", name(), "' is not compiled: call compile({.optimizer = ..., .loss = ...}) first"));
  return *trainer_;
}

template <class T>
PlanOptions Model<T>::plan_options(PlanKind kind, std::int64_t batch) const {
  return {.max_batch = batch,
          .threads = threads_,
          .training = kind != test_plan,
          .input_gradient = kind == gradient_plan,
          .leave_out_final_softmax = trainer_ && trainer_->options().loss->fuses_softmax(),
          .trainable = trainable_};
}

template <class T>
const Plan<T>& Model<T>::plan(PlanKind kind, std::int64_t batch) {
  auto& plan = plans_[kind];
  if (!plan || plan->options().max_batch < batch) {
    plan = std::make_unique<const Plan<T>>(detail::tuned_plan(*network_, plan_options(kind, batch)));
    if (verbose()) explain(*plan);
  }
  context_->reserve(*plan);
  return *plan;
}

template <class T>
void Model<T>::explain(const Plan<T>& plan) const {
  write_to(stderr, text("mien: model '", name(), "', batches of up to ", plan.options().max_batch, ", instructions ",
                        to_string(active_isa()), ", arena of ", plan.memory().bytes(), " bytes\n"));
  for (const PlanStep& step : plan.steps())
    for (const kernels::ConvGeometry& g :
         network_->layers[static_cast<std::size_t>(step.node)]->convolutions(plan.options().max_batch))
      for (const kernels::ConvPass pass : kernels::conv_passes)
        write_to(stderr, text("mien: ", network_->graph.names[static_cast<std::size_t>(step.node)], ": ",
                              kernels::explain_choice<T>(g, pass), "\n"));
}

template <class T>
typename Model<T>::Run Model<T>::run_of(const Plan<T>& plan, const T* x, std::int64_t batch) const {
  const auto step = trainer_ ? static_cast<std::uint64_t>(trainer_->iterations) : 0;
  return {plan, *values_, nullptr, x, batch, {options_.seed, 0, step}};
}

template <class T>
BatchResult Model<T>::step(const Batch<T>& batch) {
  predictor_.reset();
  Trainer<T>& training = trainer();
  const Plan<T>& made = plan(train_plan, batch.size);
  return training.step(*context_, run_of(made, batch.x, batch.size), batch);
}

template <class T>
BatchResult Model<T>::test(const Batch<T>& batch) {
  Trainer<T>& training = trainer();
  return training.evaluate(*context_, run_of(plan(test_plan, batch.size), batch.x, batch.size), batch);
}

template <class T>
void Model<T>::require_batch(const TensorView<const T>& x) const {
  if (x.shape().rank() != input_shape().rank() + 1 || x.shape().without_batch() != input_shape() || x.shape()[0] < 1)
    throw ShapeError(text("model '", name(), "' expected a batch (N, ", join(input_shape()), "), got ", x.shape()));
}

template <class T>
const T* Model<T>::preprocessed(TensorView<const T> x) {
  require_batch(x);
  if (!preprocessing().changes_pixels()) return x.data();
  const std::size_t bytes = x.span().size_bytes();
  if (staging_.size() < bytes) staging_ = Buffer(bytes);
  T* staged = reinterpret_cast<T*>(staging_.data());
  std::copy(x.begin(), x.end(), staged);
  preprocess(preprocessing(), x.shape()[-1], x.size(), staged);
  return staged;
}

template <class T>
Batch<T> Model<T>::batch_of(TensorView<const T> x, TensorView<const T> y, std::span<const T> weight) {
  const T* data = preprocessed(x);
  const std::int64_t n = x.shape()[0];
  if (y.size() != n * trainer().target_width() || y.shape()[0] != n)
    throw ShapeError(text("model '", name(), "' expected targets (", n, ", ", trainer().target_width(),
                          ") for this loss, got ", y.shape()));
  if (!weight.empty() && static_cast<std::int64_t>(weight.size()) != n)
    throw ShapeError(text("model '", name(), "' expected ", n, " sample weights, got ", weight.size()));
  return {n, const_cast<T*>(data), const_cast<T*>(y.data()), weight.empty() ? nullptr : const_cast<T*>(weight.data())};
}

template <class T>
BatchResult Model<T>::train_on_batch(TensorView<const T> x, TensorView<const T> y, std::span<const T> sample_weight) {
  return step(batch_of(x, y, sample_weight));
}

template <class T>
BatchResult Model<T>::test_on_batch(TensorView<const T> x, TensorView<const T> y) {
  return test(batch_of(x, y, {}));
}

template <class T>
Gradients<T> Model<T>::gradients(TensorView<const T> x, TensorView<const T> y) {
  const Batch<T> batch = batch_of(x, y, {});
  const Run run = run_of(plan(gradient_plan, batch.size), batch.x, batch.size);
  Gradients<T> result;
  const std::span<T> statistics = values_->values().span().subspan(static_cast<std::size_t>(layout_->gradient_size()));
  const std::vector<T> kept(statistics.begin(), statistics.end());
  const GradientWindow<T> gradients(*layout_, layout_->gradient_size());
  result.loss = trainer_->differentiate(*context_, run, batch, gradients).loss;
  std::copy(kept.begin(), kept.end(), statistics.begin());
  for (std::size_t i = 0; i < parameters().size(); ++i) {
    const TensorView<T>& view = gradients[i];
    const bool learns = view && is_trainable(parameters()[i].node);
    result.parameters.push_back(learns ? Tensor<T>(view.shape(), view.span()) : Tensor<T>());
    if (!learns) continue;
    const auto [l1, l2] = parameters()[i].regularizer;
    for (std::int64_t k = 0; k < view.size(); ++k) {
      const auto w = static_cast<double>((*values_)[i][k]);
      result.parameters.back()[k] += static_cast<T>(2 * l2 * w + l1 * static_cast<double>((w > 0) - (w < 0)));
    }
  }
  const TensorView<T> input = context_->gradient(run, 0);
  result.input = Tensor<T>(input.shape(), input.span());
  return result;
}

template <class T>
Tensor<T> Model<T>::run_forward(TensorView<const T> x, int node, bool training) {
  const T* data = preprocessed(x);
  PlanOptions options{
      .max_batch = x.shape()[0], .threads = threads_, .training = training, .trainable = trainable_, .keep = {node}};
  const Plan<T> made = detail::tuned_plan(*network_, options);
  if (training) predictor_.reset();
  context_->reserve(made);
  const Run run = run_of(made, data, x.shape()[0]);
  context_->forward(run);
  const TensorView<const T> result = context_->view(run, node);
  return Tensor<T>(result.shape(), result.span());
}

template <class T>
Predictor<T> Model<T>::predictor(const PredictorOptions& options) const {
  if (options.max_batch < 1 || options.threads < 0)
    throw OptionError(text("predictor: max_batch is at least 1 and threads at least 0, got ", options.max_batch,
                           " and ", options.threads));
  PredictorOptions resolved = options;
  if (resolved.threads == 0) resolved.threads = threads_;
  return Predictor<T>(network_, *layout_, *values_, preprocessing(), resolved);
}

template <class T>
Tensor<T> Model<T>::predict(TensorView<const T> x) {
  if (!predictor_) predictor_ = std::make_unique<const Predictor<T>>(predictor({.max_batch = 32}));
  return (*predictor_)(x);
}

}  // namespace mien::inline v0
