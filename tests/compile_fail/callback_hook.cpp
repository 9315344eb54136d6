// must fail with: on_epoch_end takes \(int, const Logs&, TrainingControl&\)
// A hook with other arguments than fit gives is not silently left out.

#include <mien/model/callbacks/callback.hpp>

struct Counter {
  int epochs = 0;
  void on_epoch_begin(int, mien::TrainingControl&) { ++epochs; }
#ifdef MIEN_MUST_FAIL
  void on_epoch_end(int, const mien::Logs&) { ++epochs; }
#endif
};

mien::Callback make() { return Counter{}; }
