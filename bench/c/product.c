// The opponent of bench/product.ts: matrix products by hand-written intrinsics with the same blocking freedom
// as the kernels. cc -O3 -mavx2 -mfma (256 bits) or -O3 -mfma -DNARROW (128 bits). Reads lines "task m n k
// milliseconds", answers each with the least seconds that one call took; every task runs with and without
// packed a, the faster counts.

#include <immintrin.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#ifdef NARROW
typedef __m128 vec;
#define LANES 4
#define load _mm_loadu_ps
#define store _mm_storeu_ps
#define splat(p) _mm_set1_ps(*(p))
#define madd _mm_fmadd_ps
#define zero _mm_setzero_ps
#else
typedef __m256 vec;
#define LANES 8
#define load _mm256_loadu_ps
#define store _mm256_storeu_ps
#define splat(p) _mm256_broadcast_ss(p)
#define madd _mm256_fmadd_ps
#define zero _mm256_setzero_ps
#endif

enum { MR = 6, NR = 2 * LANES, MC = 96, KC = 384, PANELS = 16 };

static inline long least(long a, long b) { return a < b ? a : b; }

/** c (rows,NR) = or += a·b: a[r·lda + p·step], b (k,NR). */
static inline __attribute__((always_inline)) void tile(int rows, long k, const float *a, long lda, long step,
                                                       const float *b, float *c, long ldc, int first) {
  vec sum[MR][2];
  for (int r = 0; r < rows; r++) {
    sum[r][0] = first ? zero() : load(c + r * ldc);
    sum[r][1] = first ? zero() : load(c + r * ldc + LANES);
  }
  for (long p = 0; p < k; p++, a += step, b += NR) {
    vec b0 = load(b), b1 = load(b + LANES);
    for (int r = 0; r < rows; r++) {
      vec s = splat(a + r * lda);
      sum[r][0] = madd(s, b0, sum[r][0]);
      sum[r][1] = madd(s, b1, sum[r][1]);
    }
  }
  for (int r = 0; r < rows; r++) {
    store(c + r * ldc, sum[r][0]);
    store(c + r * ldc + LANES, sum[r][1]);
  }
}

/** c (m,NR) = or += a·b, tile by tile; `next` floats from one tile of a to the next. */
static void tiles(long m, long k, const float *a, long lda, long step, long next, const float *b, float *c,
                  long ldc, int first) {
  for (long i = 0; i < m; i += MR, a += next, c += MR * ldc) {
    switch (least(MR, m - i)) {
    case 6: tile(6, k, a, lda, step, b, c, ldc, first); break;
    case 5: tile(5, k, a, lda, step, b, c, ldc, first); break;
    case 4: tile(4, k, a, lda, step, b, c, ldc, first); break;
    case 3: tile(3, k, a, lda, step, b, c, ldc, first); break;
    case 2: tile(2, k, a, lda, step, b, c, ldc, first); break;
    default: tile(1, k, a, lda, step, b, c, ldc, first);
    }
  }
}

static float packedA[MC * KC] __attribute__((aligned(64)));
static float packedB[PANELS * KC * 16] __attribute__((aligned(64)));

/** Six rows of a side by side; element (i,p) is at a[i·rs + p·cs]. */
static void packA(long m, long k, const float *a, long rs, long cs) {
  for (long i = 0; i < m; i += MR) {
    long rows = least(MR, m - i);
    float *to = packedA + i * k;
    for (long p = 0; p < k; p++)
      for (long r = 0; r < rows; r++) to[p * MR + r] = a[(i + r) * rs + p * cs];
  }
}

/** c (m,n) = a·b for b in panels (n/NR, k, NR); panel j of c begins at c + j·cp, its rows ldc apart. */
static void product(long m, long n, long k, const float *a, long rs, long cs, const float *panels, float *c,
                    long ldc, long cp, int pack, int more) {
  for (long i = 0; i < m; i += MC)
    for (long p = 0; p < k; p += KC) {
      long rows = least(MC, m - i), depth = least(KC, k - p);
      const float *block = a + i * rs + p * cs;
      if (pack) packA(rows, depth, block, rs, cs);
      for (long j = 0; j < n / NR; j++) {
        const float *b = panels + (j * k + p) * NR;
        float *to = c + j * cp + i * ldc;
        if (pack) tiles(rows, depth, packedA, 1, MR, MR * depth, b, to, ldc, !more && p == 0);
        else tiles(rows, depth, block, rs, cs, MR * rs, b, to, ldc, !more && p == 0);
      }
    }
}

/** dw, panels (n/NR, k, NR), = xᵀ·dy with x (m,k), dy (m,n). */
static void weightGradient(long m, long n, long k, const float *x, const float *dy, float *dw, int pack) {
  for (long j = 0; j < n; j += PANELS * NR)
    for (long r = 0; r < m; r += KC) {
      long rows = least(KC, m - r), width = least(PANELS * NR, n - j);
      for (long q = 0; q < width; q += NR)
        for (long i = 0; i < rows; i++)
          memcpy(packedB + (q * rows + i * NR), dy + (r + i) * n + j + q, NR * sizeof(float));
      product(k, width, rows, x + r * k, 1, k, packedB, dw + j * k, NR, k * NR, pack, r > 0);
    }
}

/** wt = panels (k/NR, n, NR) of the transpose of w, panels (n/NR, k, NR). */
static void transposePanels(long k, long n, const float *w, float *wt) {
  for (long j = 0; j < n; j += NR)
    for (long p = 0; p < k; p += NR)
      for (long q = 0; q < NR; q++)
        for (long l = 0; l < NR; l++) wt[(p / NR * n + j + q) * NR + l] = w[(j / NR * k + p + l) * NR + q];
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + 1e-9 * t.tv_nsec;
}

static float *numbers(long count) {
  float *values = aligned_alloc(64, (count * sizeof(float) + 127) & ~63L);
  for (long i = 0; i < count; i++) values[i] = (float)(i * 7919 % 1000) / 1000 - 0.5f;
  return values;
}

int main(void) {
  char task[32];
  long m, n, k;
  double milliseconds;
  while (scanf("%31s %ld %ld %ld %lf", task, &m, &n, &k, &milliseconds) == 5) {
    float *x = numbers(m * k), *w = numbers(k * n), *y = numbers(m * n), *wt = numbers(k * n);
    double best = 1e9, start = now();
    for (int pack = 0; now() - start < milliseconds / 1e3; pack = !pack) {
      long calls = 1 + 2e6 / (2.0 * m * n * k);
      double from = now();
      for (long i = 0; i < calls; i++) {
        if (task[0] == 'f') product(m, n, k, x, k, 1, w, y, n, NR, pack, 0);
        else if (task[0] == 'w') weightGradient(m, n, k, x, y, wt, pack);
        else transposePanels(k, n, w, wt), product(m, k, n, y, n, 1, wt, x, k, NR, pack, 0);
      }
      double seconds = (now() - from) / calls;
      if (seconds < best) best = seconds;
    }
    printf("%.9f\n", best);
    fflush(stdout);
    free(x), free(w), free(y), free(wt);
  }
}
