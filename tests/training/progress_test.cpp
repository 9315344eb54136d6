#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

#include <mien/model/progress.hpp>

using namespace mien;

namespace {
/// Collects what is printed.
struct Screen {
  std::string text{};
  Progress progress;
  Screen(bool bar, int columns, bool silent = false)
      : progress(
            {.bar = bar, .silent = silent, .columns = columns, .sink = [this](std::string_view t) { text += t; }}) {}
  std::string take() { return std::exchange(text, ""); }
};
const Logs logs{{"loss", .1234}, {"accuracy", .5}};
}  // namespace

TEST_CASE("a bar, redrawn") {
  Screen s(true, 200);
  s.progress.begin_epoch(0, 12, 501);
  CHECK(s.take() == "Epoch 1/12\n");
  s.progress.update(1, logs, 2);
  CHECK(s.take() == "\r  1/501 [..............................] - ETA: 16:40 - loss: 0.1234 - accuracy: 0.5000");
  s.progress.update(2, logs, 2.04);
  CHECK(s.take().empty());
  // The first step, of 2 s, does not count: 11 steps in 0.275 s are 25 ms each, 489 are left.
  s.progress.update(12, logs, 2.275);
  CHECK(s.take() == "\r 12/501 [..............................] - ETA: 12s - loss: 0.1234 - accuracy: 0.5000  ");
  s.progress.update(34, logs, 2.825);
  CHECK(s.take() == "\r 34/501 [=>............................] - ETA: 11s - loss: 0.1234 - accuracy: 0.5000");
  s.progress.update(501, logs, 14.5);
  CHECK(s.take() == "\r501/501 [==============================] - ETA: 0s - loss: 0.1234 - accuracy: 0.5000 ");
  Logs all = logs;
  all.set("val_loss", 1e-3);
  all.set("learning_rate", .1);
  all.set("seconds", 15.2);
  s.progress.end_epoch(all, 15.2);
  CHECK(s.take() ==
        "\r501/501 [==============================] - 15s 25ms/step - loss: 0.1234 - accuracy: 0.5000"
        " - val_loss: 1.0000e-03\n");
}

TEST_CASE("the last step is drawn however soon it comes, the finished line is whole") {
  Screen s(true, 40);
  s.progress.begin_epoch(0, 1, 2);
  s.progress.update(1, logs, .01);
  s.progress.update(2, logs, .02);
  s.take();
  s.progress.end_epoch(logs, .02);
  CHECK(s.take() == "\r2/2 [==============================] - 0s 10ms/step - loss: 0.1234 - accuracy: 0.5000\n");
}

TEST_CASE("a line never wraps while it is redrawn") {
  const auto line = [](int columns) {
    Screen s(true, columns);
    s.progress.begin_epoch(0, 1, 20);
    s.take();
    s.progress.update(10, logs, 100);
    return s.take();
  };
  CHECK(line(85) == "\r10/20 [==============>...............] - ETA: 1:51 - loss: 0.1234 - accuracy: 0.5000");
  CHECK(line(84) == "\r10/20 [=========>..........] - ETA: 1:51 - loss: 0.1234 - accuracy: 0.5000");
  CHECK(line(75) == "\r10/20 [=========>..........] - ETA: 1:51 - loss: 0.1234 - accuracy: 0.5000");
  CHECK(line(74) == "\r10/20 [====>.....] - ETA: 1:51 - loss: 0.1234 - accuracy: 0.5000");
  CHECK(line(50) == "\r10/20 [====>.....] - ETA: 1:51 - loss: 0.1234");
  CHECK(line(40) == "\r10/20 [====>.....] - ETA: 1:51");
  CHECK(line(10) == "\r10/20 [==");
  for (int columns = 1; columns < 100; ++columns) CHECK(line(columns).size() <= static_cast<std::size_t>(columns));
}

TEST_CASE("one line per epoch without a terminal") {
  Screen s(false, 0);
  s.progress.begin_epoch(2, 12, 501);
  s.progress.update(1, logs, 1);
  CHECK(s.take().empty());
  s.progress.message("hello");
  s.progress.end_epoch(logs, 12.4);
  CHECK(s.take() == "hello\nEpoch 3/12 - 12s - loss: 0.1234 - accuracy: 0.5000\n");
}

TEST_CASE("a message gets a line of its own") {
  Screen s(true, 100);
  s.progress.begin_epoch(0, 2, 4);
  s.progress.message("before");
  CHECK(s.take() == "Epoch 1/2\nbefore\n");
  s.progress.update(1, {}, 1);
  s.take();
  s.progress.message("amid");
  CHECK(s.take() == "\namid\n");
  s.progress.update(2, {}, 2);
  CHECK(s.take() == "\r2/4 [==============>...............] - ETA: 2s");
  s.progress.end_epoch({}, 2);
  CHECK(s.take() == "\r2/4 [==============>...............] - 2s 1s/step\n");
  s.progress.message("after");
  CHECK(s.take() == "after\n");
}

TEST_CASE("silence") {
  Screen s(true, 100, true);
  s.progress.begin_epoch(0, 1, 1);
  s.progress.update(1, logs, 1);
  s.progress.message("x");
  s.progress.end_epoch(logs, 1);
  CHECK(s.text.empty());
}

TEST_CASE("numbers as Keras prints them") {
  CHECK(detail::format_metric(.12345) == "0.1235");
  CHECK(detail::format_metric(1234.5) == "1234.5000");
  CHECK(detail::format_metric(.001) == "1.0000e-03");
  CHECK(detail::format_metric(.0010001) == "0.0010");
  CHECK(detail::format_metric(-.5) == "-0.5000");
  CHECK(detail::format_metric(0) == "0.0000e+00");
  CHECK(detail::format_metric(std::nan("")) == "nan");
  CHECK(detail::format_metric(-1e308).size() == 315);
  CHECK(detail::with_digits(-1e308, 99).size() == 410);
  CHECK(detail::format_eta(59.9) == "59s");
  CHECK(detail::format_eta(60) == "60s");
  CHECK(detail::format_eta(61) == "1:01");
  CHECK(detail::format_eta(3600) == "60:00");
  CHECK(detail::format_eta(3601) == "1:00:01");
  CHECK(detail::format_eta(36125) == "10:02:05");
  CHECK(detail::format_step_time(12.4) == "12s/step");
  CHECK(detail::format_step_time(.0254) == "25ms/step");
  CHECK(detail::format_step_time(.000321) == "321us/step");
  CHECK(detail::format_step_time(0) == "0s/step");
}
