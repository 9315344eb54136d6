// The matrices of points.hpp along one axis, on vectors of channels, with what the rows of +-a share computed once; once
// per instruction set. transform.inl and gradient_transform.inl apply them down a tile's columns and then along its rows.

/// v = B' d of 4 wide outputs, but for infinity's row; the row of each finite point times a factor.
template <class T>
__attribute__((always_inline)) inline void wide_rows(const Vec<T>* d, Vec<T>* v, T at_0, T at_1, T at_minus_1,
                                                     T at_2, T at_minus_2) {
  const Vec<T> even_1 = d[4] - T(4) * d[2], odd_1 = d[3] - T(4) * d[1];
  const Vec<T> even_2 = d[4] - d[2], odd_2 = T(2) * (d[3] - d[1]);
  v[1] = at_0 * (d[4] - T(5) * d[2] + T(4) * d[0]);
  v[2] = at_1 * (even_1 + odd_1);
  v[3] = at_minus_1 * (even_1 - odd_1);
  v[4] = at_2 * (even_2 + odd_2);
  v[5] = at_minus_2 * (even_2 - odd_2);
}

/// v = B' d of wide tiles.
template <int size, class T>
__attribute__((always_inline)) inline void wide_input_points(const Vec<T>* d, Vec<T>* v) {
  if constexpr (size == winograd::wide + 4) {
    v[0] = d[5] - T(5) * d[3] + T(4) * d[1];
    wide_rows<T>(d, v, T(0.25), T(0.75), T(0.75), T(3.75), T(3.75));
  } else if constexpr (size == winograd::wide + 5) {
    Vec<T> e[6];  // d times (x - 1/2), which all points but 1/2 have in common
#pragma GCC unroll 6
    for (int i = 0; i < 6; ++i) e[i] = d[i + 1] - T(0.5) * d[i];
    v[0] = e[5] - T(5) * e[3] + T(4) * e[1];
    wide_rows<T>(e, v, T(-0.5), T(1.5), T(-0.5), T(2.5), T(-1.5));
    v[6] = d[5] - T(5) * d[3] + T(4) * d[1];
  } else {
    const Vec<T> even_1 = d[6] + d[2] - T(4.25) * d[4], odd_1 = d[5] + d[1] - T(4.25) * d[3];
    const Vec<T> even_2 = d[6] - T(1.25) * d[4] + T(0.25) * d[2], odd_2 = T(2) * d[5] - T(2.5) * d[3] + T(0.5) * d[1];
    const Vec<T> even_half = d[6] - T(5) * d[4] + T(4) * d[2], odd_half = T(0.5) * d[5] - T(2.5) * d[3] + T(2) * d[1];
    v[0] = d[7] - d[1] + T(5.25) * (d[3] - d[5]);
    v[1] = d[0] - d[6] + T(5.25) * (d[4] - d[2]);
    v[2] = even_1 + odd_1;
    v[3] = even_1 - odd_1;
    v[4] = even_2 + odd_2;
    v[5] = even_2 - odd_2;
    v[6] = even_half + odd_half;
    v[7] = even_half - odd_half;
  }
}

/// v = B' d.
template <int size, class T>
__attribute__((always_inline)) inline void input_points(const Vec<T>* d, Vec<T>* v) {
  constexpr T root_2 = T(winograd::sqrt_2), root_half = T(winograd::sqrt_half);
  if constexpr (size > winograd::wide) {
    wide_input_points<size, T>(d, v);
  } else if constexpr (size == winograd::pair) {
    v[0] = d[1];
    v[1] = d[1] + d[2];
    v[2] = d[2];
  } else if constexpr (size == 1) {
    v[0] = d[2] - root_half * d[1];
    v[1] = d[0] - root_2 * d[1];
    v[2] = T(-1.5 * winograd::sqrt_2) * d[1];
  } else if constexpr (size == 2) {
    const Vec<T> a = T(-1.5) * d[2], b = T(1.5 * winograd::sqrt_half) * d[1];
    v[0] = d[3] - T(0.5) * d[1];
    v[1] = d[0] - T(2) * d[2];
    v[2] = a - b;
    v[3] = a + b;
  } else if constexpr (size == 3) {
    const Vec<T> a = d[3] - root_2 * d[2], b = d[2] - root_2 * d[1];
    v[0] = d[4] - root_2 * d[3] - T(0.5) * b;
    v[1] = root_2 * a + (d[0] - root_half * d[1]);
    v[2] = T(1.5 * winograd::sqrt_2) * a + T(1.5) * b;
    v[3] = root_half * a - T(0.5) * b;
    v[4] = T(2 * winograd::sqrt_2) * d[3] - root_2 * d[1];
  } else {
    const Vec<T> even_half = d[4] - T(2) * d[2], odd_half = root_half * d[3] - root_2 * d[1];
    const Vec<T> even_2 = d[4] - T(0.5) * d[2], odd_2 = root_2 * d[3] - root_half * d[1];
    v[0] = d[5] - T(2.5) * d[3] + d[1];
    v[1] = d[4] - T(2.5) * d[2] + d[0];
    v[2] = even_half + odd_half;
    v[3] = even_half - odd_half;
    v[4] = even_2 + odd_2;
    v[5] = even_2 - odd_2;
  }
}

/// u = G g: all points of the largest tile of the size's list, or the pair's.
template <int size, class T>
__attribute__((always_inline)) inline void kernel_points(const Vec<T>* g, Vec<T>* u) {
  if constexpr (size == winograd::pair) {
    u[0] = g[0] - g[1];
    u[1] = g[1];
    u[2] = g[2] - g[1];
    return;
  }
  u[0] = g[2];
  u[1] = g[0];
  if constexpr (size > winograd::wide) {
    const Vec<T> even_1 = T(-2.0 / 9) * (g[0] + g[2]), odd_1 = T(2.0 / 9) * g[1];
    const Vec<T> even_2 = T(1.0 / 90) * g[0] + T(2.0 / 45) * g[2], odd_2 = T(1.0 / 45) * g[1];
    const Vec<T> even_half = T(32.0 / 45) * g[0] + T(8.0 / 45) * g[2], odd_half = T(16.0 / 45) * g[1];
    u[2] = even_1 - odd_1;
    u[3] = even_1 + odd_1;
    u[4] = even_2 + odd_2;
    u[5] = even_2 - odd_2;
    u[6] = even_half + odd_half;
    u[7] = even_half - odd_half;
    return;
  }
  const Vec<T> even = T(-2.0 / 3) * g[0] - T(1.0 / 3) * g[2], odd = T(winograd::sqrt_2 / 3) * g[1];
  u[2] = even - odd;
  u[3] = even + odd;
  const Vec<T> even_2 = T(1.0 / 6) * g[0] + T(1.0 / 3) * g[2], odd_2 = T(winograd::sqrt_2 / 6) * g[1];
  u[4] = even_2 + odd_2;
  u[5] = even_2 - odd_2;
}

/// y = A' m of wide tiles.
template <int size, class T>
__attribute__((always_inline)) inline void wide_output_points(const Vec<T>* m, Vec<T>* y) {
  constexpr int outputs = winograd::outputs_of(size);
  const Vec<T> sum_1 = m[2] + m[3], difference_1 = m[2] - m[3], sum_2 = m[4] + m[5], difference_2 = m[4] - m[5];
  y[0] = m[1] + sum_1 + sum_2;
  y[1] = difference_1 + T(2) * difference_2;
  y[2] = sum_1 + T(4) * sum_2;
  y[3] = difference_1 + T(8) * difference_2;
  if constexpr (outputs > 4) {
    Vec<T> sum_half = m[6], difference_half = m[6];
    if constexpr (outputs > 5) sum_half += m[7], difference_half -= m[7];
    y[0] += sum_half;
    y[1] += T(0.5) * difference_half;
    y[2] += T(0.25) * sum_half;
    y[3] += T(0.125) * difference_half;
    y[4] = sum_1 + T(16) * sum_2 + T(0.0625) * sum_half;
    if constexpr (outputs > 5) y[5] = difference_1 + T(32) * difference_2 + T(0.03125) * difference_half;
  }
  y[outputs - 1] += m[0];
}

/// y = A' m.
template <int size, class T>
__attribute__((always_inline)) inline void output_points(const Vec<T>* m, Vec<T>* y) {
  constexpr T root_2 = T(winograd::sqrt_2), root_half = T(winograd::sqrt_half);
  if constexpr (size > winograd::wide) {
    wide_output_points<size, T>(m, y);
  } else if constexpr (size == winograd::pair) {
    y[0] = m[1] + m[2];
    y[1] = m[0] + m[1];
  } else if constexpr (size == 1) {
    y[0] = m[0] + m[1] + m[2];
  } else {
    const Vec<T> sum = m[2] + m[3], difference = m[2] - m[3];
    if constexpr (size == 2) {
      y[0] = m[1] + sum;
      y[1] = root_half * difference + m[0];
    } else if constexpr (size == 3) {
      y[0] = m[1] + sum + m[4];
      y[1] = root_half * difference + root_2 * m[4];
      y[2] = T(0.5) * sum + T(2) * m[4] + m[0];
    } else {
      const Vec<T> sum_2 = m[4] + m[5], difference_2 = m[4] - m[5];
      y[0] = m[1] + sum + sum_2;
      y[1] = root_half * difference + root_2 * difference_2;
      y[2] = T(0.5) * sum + T(2) * sum_2;
      y[3] = T(0.5 * winograd::sqrt_half) * difference + T(2 * winograd::sqrt_2) * difference_2 + m[0];
    }
  }
}

/// z = A y of wide tiles, the finite points but 0.
template <int size, class T>
__attribute__((always_inline)) inline void wide_spread_outputs(const Vec<T>* y, Vec<T>* z) {
  constexpr int outputs = winograd::outputs_of(size);
  Vec<T> even_1 = y[0] + y[2], odd_1 = y[1] + y[3];
  Vec<T> even_2 = y[0] + T(4) * y[2], odd_2 = T(2) * y[1] + T(8) * y[3];
  if constexpr (outputs > 4) {
    even_1 += y[4], even_2 += T(16) * y[4];
    Vec<T> even_half = y[0] + T(0.25) * y[2] + T(0.0625) * y[4], odd_half = T(0.5) * y[1] + T(0.125) * y[3];
    if constexpr (outputs > 5) {
      odd_1 += y[5], odd_2 += T(32) * y[5], odd_half += T(0.03125) * y[5];
      z[7] = even_half - odd_half;
    }
    z[6] = even_half + odd_half;
  }
  z[2] = even_1 + odd_1;
  z[3] = even_1 - odd_1;
  z[4] = even_2 + odd_2;
  z[5] = even_2 - odd_2;
}

/// z = A y: the values at the points of the polynomial whose coefficients are y.
template <int size, class T>
__attribute__((always_inline)) inline void spread_outputs(const Vec<T>* y, Vec<T>* z) {
  constexpr T root_2 = T(winograd::sqrt_2), root_half = T(winograd::sqrt_half);
  if constexpr (size == winograd::pair) {
    z[0] = y[1];
    z[1] = y[0] + y[1];
    z[2] = y[0];
    return;
  }
  z[0] = y[winograd::outputs_of(size) - 1];
  z[1] = y[0];
  if constexpr (size > winograd::wide) {
    wide_spread_outputs<size, T>(y, z);
  } else if constexpr (size == 1) {
    z[2] = y[0];
  } else if constexpr (size == 2) {
    z[2] = y[0] + root_half * y[1];
    z[3] = y[0] - root_half * y[1];
  } else if constexpr (size == 3) {
    const Vec<T> even = y[0] + T(0.5) * y[2];
    z[2] = even + root_half * y[1];
    z[3] = even - root_half * y[1];
    z[4] = y[0] + T(2) * y[2] + root_2 * y[1];
  } else {
    const Vec<T> even = y[0] + T(0.5) * y[2], odd = y[1] + T(0.5) * y[3];
    const Vec<T> even_2 = y[0] + T(2) * y[2], odd_2 = y[1] + T(2) * y[3];
    z[2] = even + root_half * odd;
    z[3] = even - root_half * odd;
    z[4] = even_2 + root_2 * odd_2;
    z[5] = even_2 - root_2 * odd_2;
  }
}

/// w = G' u.
template <int size, class T>
__attribute__((always_inline)) inline void gather_points(const Vec<T>* u, Vec<T>* w) {
  constexpr int points = winograd::points_of(size);
  if constexpr (size == winograd::pair) {
    w[0] = u[0];
    w[1] = u[1] - u[0] - u[2];
    w[2] = u[2];
    return;
  }
  if constexpr (size > winograd::wide) {
    const Vec<T> sum_1 = u[2] + u[3], difference_1 = u[2] - u[3], sum_2 = u[4] + u[5], difference_2 = u[4] - u[5];
    w[0] = u[1] - T(2.0 / 9) * sum_1 + T(1.0 / 90) * sum_2;
    w[1] = T(1.0 / 45) * difference_2 - T(2.0 / 9) * difference_1;
    w[2] = u[0] - T(2.0 / 9) * sum_1 + T(2.0 / 45) * sum_2;
    if constexpr (points > 6) {
      Vec<T> sum_half = u[6], difference_half = u[6];
      if constexpr (points > 7) sum_half += u[7], difference_half -= u[7];
      w[0] += T(32.0 / 45) * sum_half;
      w[1] += T(16.0 / 45) * difference_half;
      w[2] += T(8.0 / 45) * sum_half;
    }
    return;
  }
  Vec<T> sum = u[2], difference = u[2];
  if constexpr (points > 3) sum += u[3], difference -= u[3];
  w[0] = u[1] - T(2.0 / 3) * sum;
  w[1] = T(-winograd::sqrt_2 / 3) * difference;
  w[2] = u[0] - T(1.0 / 3) * sum;
  if constexpr (points > 4) {
    Vec<T> sum_2 = u[4], difference_2 = u[4];
    if constexpr (points > 5) sum_2 += u[5], difference_2 -= u[5];
    w[0] += T(1.0 / 6) * sum_2;
    w[1] += T(winograd::sqrt_2 / 6) * difference_2;
    w[2] += T(1.0 / 3) * sum_2;
  }
}
