#include <link/take_sample.hpp>

Sample sample_of_plain_file() { return take_sample(); }
