// The same code as plain.cpp; the build compiles this file with other -m flags.
#include <link/take_sample.hpp>

Sample sample_of_flagged_file() { return take_sample(); }
