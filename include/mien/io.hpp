#pragma once
// Files: models, weights, checkpoints.

#include <mien/compiled/io.hpp>
#include <mien/io/checkpoint.hpp>
#include <mien/io/keras_model.hpp>
#include <mien/io/load_weights.hpp>
#include <mien/io/model_checkpoint.hpp>
#include <mien/io/model_file.hpp>
#include <mien/io/probe.hpp>
#include <mien/model/callbacks/csv_logger.hpp>
