#pragma once

#include <vector>

/// What one file of the program computes with the active instruction set.
struct Sample {
  std::vector<float> sums;     ///< one per length
  std::vector<double> wide;    ///< the same in double
  std::vector<float> weights;  ///< of a small network after three training steps
  int vector_bytes = 0;
  bool fuses = false;          ///< the file's own code, outside the kernels, rounds a product and a sum together
  bool ought_to_fuse = false;  ///< as the compiler does with its flags; else equal bits would show nothing
};

Sample sample_of_plain_file();
Sample sample_of_flagged_file();
