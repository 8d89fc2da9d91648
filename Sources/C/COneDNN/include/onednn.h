// The part of oneDNN that neurodex uses, as C: kernels over channels-last (NHWC) float maps, compiled once with their
// weights packed, and bound to the memory of as many workers as there are. Compiles against oneDNN 2.6 and 3.x.
//
// Every kernel runs on the calling thread alone, unless that has asked for another beside it (nd_set_threads). Functions that return a pointer return NULL on failure, and
// nd_last_error() then says why.
#ifndef NEURODEX_ONEDNN_H
#define NEURODEX_ONEDNN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// A batch of maps: element (n, y, x, c) stands at ((n * height + y) * width + x) * pixel_stride + c.
/// `pixel_stride` is larger than `channels` where the map is a slice of a concatenation.
typedef struct {
    int64_t batch, channels, height, width, pixel_stride;
} nd_map;

/// A sliding window; `[0]` is vertical, `[1]` horizontal. A dilation of 1 means adjacent taps.
typedef struct {
    int64_t kernel[2], stride[2], dilation[2], pad_before[2], pad_after[2];
} nd_window;

/// What is applied to every element a kernel writes; `alpha` and `beta` as oneDNN defines them.
typedef enum {
    ND_IDENTITY, ND_RELU, ND_CLIP, ND_SIGMOID, ND_TANH, ND_ELU, ND_SWISH, ND_HARD_SWISH, ND_GELU_ERF, ND_EXP, ND_SQRT, ND_ABS,
    ND_POW, ND_LINEAR, ND_GELU_TANH, ND_MISH, ND_SOFTPLUS, ND_LOG,
} nd_function;

typedef struct {
    nd_function function;
    float alpha, beta;
} nd_activation;

typedef enum { ND_AVERAGE_INCLUDING_PADDING, ND_AVERAGE_EXCLUDING_PADDING } nd_pooling_kind;
typedef enum { ND_ADD, ND_SUBTRACT, ND_MULTIPLY, ND_DIVIDE, ND_MAXIMUM, ND_MINIMUM } nd_binary_kind;

/// A compiled kernel; immutable, shared by all workers.
typedef struct nd_kernel nd_kernel;
/// A kernel bound to the memory of one worker.
typedef struct nd_call nd_call;

/// Reads like "convolution: could not create a primitive descriptor".
const char *nd_last_error(void);
/// For example "2.6.3".
const char *nd_version(void);

/// Threads, 1 or 2, that kernels compiled on this thread from now on may be split among, and that those it runs are. A kernel compiled
/// for two gives the same results on one; where a kernel could not promise that, and where oneDNN has no OpenMP, one thread it is.
void nd_set_threads(int threads);
/// What this thread runs on: 1 or 2.
int nd_get_threads(void);
/// The second thread's number, as /proc/self/task has it; 0 where there is none or it is not known. It keeps its core busy for some
/// milliseconds after its share is done.
int nd_helper(void);
/// Calls `body` for the range 0 ..< count, in two halves at the same time where this thread runs on two: for loops whose rounds do not depend
/// on each other. The halves meet at a multiple of `grain`.
void nd_split(size_t count, size_t grain, void (*body)(void *context, size_t start, size_t end), void *context);

/// Arguments when bound: source, destination. `weights` [O, I/groups, kh, kw] and `bias` ([O], or NULL) are copied and packed.
nd_kernel *nd_convolution(nd_map source, nd_map destination, const nd_window *window, int64_t groups, const float *weights,
                          const float *bias, nd_activation activation);

/// Whether this processor multiplies numbers of the format bfloat16, and oneDNN knows how.
bool nd_has_bfloat16(void);
/// As nd_convolution, of a source that holds such numbers, by weights that are rounded to them; sums, bias and destination are floats.
nd_kernel *nd_convolution_bfloat16(nd_map source, nd_map destination, const nd_window *window, int64_t groups, const float *weights,
                                   const float *bias, nd_activation activation);

/// Arguments when bound: source, destination.
nd_kernel *nd_pooling(nd_map source, nd_map destination, const nd_window *window, nd_pooling_kind kind);

/// Arguments when bound: source, destination (may be the same memory).
nd_kernel *nd_elementwise(nd_map source, nd_map destination, nd_activation activation);

/// Arguments when bound: left, right, destination (may be left's memory). A dimension of `right` that is 1 is broadcast.
nd_kernel *nd_binary(nd_map left, nd_map right, nd_map destination, nd_binary_kind kind, nd_activation activation);

/// Softmax, or its logarithm, over the channels of every pixel. Arguments when bound: source, destination.
nd_kernel *nd_softmax(nd_map source, nd_map destination, bool logarithm);

/// Local response normalisation across channels. Arguments when bound: source, destination.
nd_kernel *nd_lrn(nd_map source, nd_map destination, int64_t size, float alpha, float beta, float k);

/// Back through a convolution, from the gradient of its output to that of its input. Arguments when bound: source, destination.
/// `window` and `weights` are those of the way forward; `source` is the map of its output, `destination` that of its input.
nd_kernel *nd_convolution_backward(nd_map source, nd_map destination, const nd_window *window, int64_t groups, const float *weights);

/// Back through an elementwise function. Arguments when bound: the function's input (`from_output`: its output), the gradient of
/// its output, the gradient of its input.
nd_kernel *nd_elementwise_backward(nd_map map, nd_activation activation, bool from_output);

/// Back through local response normalisation. Arguments when bound: the input, the gradient of the output, that of the input.
nd_kernel *nd_lrn_backward(nd_map map, int64_t size, float alpha, float beta, float k);

void nd_kernel_free(nd_kernel *kernel);
/// Bytes of scratch memory a call of this kernel needs; workers give the same memory to all their calls.
size_t nd_kernel_scratch(const nd_kernel *kernel);

/// `pointers`: the kernel's arguments in the order its constructor names them. They must outlive the call.
nd_call *nd_bind(const nd_kernel *kernel, float *const *pointers, size_t count, void *scratch);
/// False on failure.
bool nd_run(nd_call *call);
void nd_call_free(nd_call *call);

#ifdef __cplusplus
}
#endif
#endif
