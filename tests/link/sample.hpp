#pragma once

#include <vector>

/// What one file of the program computes with the active instruction set.
struct Sample {
  std::vector<float> sums;   ///< one per length
  std::vector<double> wide;  ///< the same in double
  int vector_bytes = 0;
};

Sample sample_of_plain_file();
Sample sample_of_flagged_file();
