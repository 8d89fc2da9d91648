#include "onednn.h"

#include <dlfcn.h>
#ifdef __linux__
#include <sys/syscall.h>
#include <unistd.h>
#endif
#include <dnnl.hpp>

#include <cstring>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

using namespace dnnl;
using tag = memory::format_tag;
using dims = memory::dims;
constexpr auto f32 = memory::data_type::f32;

struct nd_kernel {
    primitive compiled;
    std::vector<std::pair<int, memory>> constants;
    std::vector<std::pair<int, memory::desc>> arguments;
    memory::desc scratch;
    int threads;
};

struct nd_call {
    primitive compiled;
    int threads;
    std::unordered_map<int, memory> arguments;
    stream queue;
};

namespace {

thread_local std::string last_error;

const engine &cpu() {
    static const engine instance(engine::kind::cpu, 0);
    return instance;
}

/// What of OpenMP is needed, looked up at run time, so that builds of oneDNN without it need nothing and run on one thread.
struct openmp {
    void (*set_threads)(int);
    void (*set_levels)(int);
    int (*thread)();
    int (*threads)();
    void (*parallel)(void (*)(void *), void *, unsigned, unsigned);

    openmp() {
        find(set_threads, "omp_set_num_threads");
        find(set_levels, "omp_set_max_active_levels");
        find(thread, "omp_get_thread_num");
        find(threads, "omp_get_num_threads");
        find(parallel, "GOMP_parallel");
    }

    bool has_teams() const { return set_threads && set_levels && thread && threads && parallel; }

   private:
    template <typename F>
    static void find(F &function, const char *name) { function = reinterpret_cast<F>(dlsym(RTLD_DEFAULT, name)); }
};

const openmp &omp() {
    static const openmp instance;
    return instance;
}

/// What nd_set_threads last asked for on this thread, and what OpenMP was last told on it.
thread_local int wanted_threads = 1, threads_in_use = 0;

/// Lets OpenMP's regions that this thread opens have `threads` threads. A kernel compiled for a team opens its regions with that many
/// whatever the setting is; without a level of parallelism it gets one, and does the shares of all after each other.
void use_threads(int threads) {
    if (threads == threads_in_use) return;
    if (omp().set_threads) omp().set_threads(threads);
    if (omp().set_levels) omp().set_levels(threads > 1 ? 1 : 0);
    threads_in_use = threads;
}

/// A kernel whose results might depend on the number of threads.
struct unsplittable {};

/// Runs `body`, turning whatever it throws into last_error and a null result.
template <typename Body>
auto guarded(const char *what, Body body) -> decltype(body()) {
    try {
        try {
            use_threads(wanted_threads);
            return body();
        } catch (unsplittable) {
            use_threads(1);
            return body();
        }
    } catch (const std::exception &e) {
        last_error = std::string(what) + ": " + e.what();
    } catch (...) {
        last_error = std::string(what) + ": unknown failure";
    }
    return {};
}

memory::desc describe(const nd_map &m, memory::data_type type = f32) {
    return memory::desc(dims{m.batch, m.channels, m.height, m.width}, type,
                        dims{m.height * m.width * m.pixel_stride, 1, m.width * m.pixel_stride, m.pixel_stride});
}

algorithm function_of(nd_function f) {
    switch (f) {
        case ND_RELU: return algorithm::eltwise_relu;
        case ND_CLIP: return algorithm::eltwise_clip;
        case ND_SIGMOID: return algorithm::eltwise_logistic;
        case ND_TANH: return algorithm::eltwise_tanh;
        case ND_ELU: return algorithm::eltwise_elu;
        case ND_SWISH: return algorithm::eltwise_swish;
        case ND_HARD_SWISH: return algorithm::eltwise_hardswish;
        case ND_GELU_ERF: return algorithm::eltwise_gelu_erf;
        case ND_EXP: return algorithm::eltwise_exp;
        case ND_SQRT: return algorithm::eltwise_sqrt;
        case ND_ABS: return algorithm::eltwise_abs;
        case ND_POW: return algorithm::eltwise_pow;
        case ND_GELU_TANH: return algorithm::eltwise_gelu_tanh;
        case ND_MISH: return algorithm::eltwise_mish;
        case ND_SOFTPLUS: return algorithm::eltwise_soft_relu;
        case ND_LOG: return algorithm::eltwise_log;
        default: return algorithm::eltwise_linear;
    }
}

void append(post_ops &ops, nd_activation a) {
    if (a.function == ND_IDENTITY) return;
#if DNNL_VERSION_MAJOR >= 3
    ops.append_eltwise(function_of(a.function), a.alpha, a.beta);
#else
    ops.append_eltwise(1.f, function_of(a.function), a.alpha, a.beta);
#endif
}

primitive_attr attributes(nd_activation activation) {
    post_ops ops;
    append(ops, activation);
    primitive_attr attr;
    attr.set_post_ops(ops);
    attr.set_scratchpad_mode(scratchpad_mode::user);
    return attr;
}

primitive_attr attributes() { return attributes({ND_IDENTITY, 0, 0}); }

/// A copy of `data` in the layout `wanted`, and of its type.
memory packed(const float *data, const memory::desc &plain, const memory::desc &wanted) {
    const int threads = threads_in_use;
    use_threads(1);
    memory source(plain, cpu(), const_cast<float *>(data));
    memory result(wanted, cpu());
    stream queue(cpu());
    reorder(source, result).execute(queue, source, result);
    queue.wait();
    use_threads(threads);
    return result;
}

template <typename Descriptor, typename Primitive>
nd_kernel *finish(const Descriptor &descriptor, std::vector<std::pair<int, memory::desc>> arguments,
                  std::vector<std::pair<int, memory>> constants = {}) {
    // oneDNN's own loops ("jit:…", "brgconv:…") give each thread outputs of its own; a matrix product may share out a sum.
    const std::string name = descriptor.impl_info_str();
    if (threads_in_use > 1 && name.rfind("jit", 0) != 0 && name.rfind("brgconv", 0) != 0) throw unsplittable();
    return new nd_kernel{
        Primitive(descriptor), std::move(constants), std::move(arguments), descriptor.scratchpad_desc(), threads_in_use};
}

#if DNNL_VERSION_MAJOR >= 3
#define MAKE(type, attr, ...) type::primitive_desc(cpu(), __VA_ARGS__, attr)
#define MAKE_FORWARD(type, attr, ...) type::primitive_desc(cpu(), prop_kind::forward_inference, __VA_ARGS__, attr)
#else
#define MAKE(type, attr, ...) type::primitive_desc(type::desc(__VA_ARGS__), attr, cpu())
#define MAKE_FORWARD(type, attr, ...) type::primitive_desc(type::desc(prop_kind::forward_inference, __VA_ARGS__), attr, cpu())
#endif

/// `type`: of the source's numbers and of the packed weights'.
nd_kernel *convolution(memory::data_type type, nd_map source, nd_map destination, const nd_window *w, int64_t groups,
                       const float *weights, const float *bias, const primitive_attr &attr) {
    auto from = describe(source, type), to = describe(destination);
    dims shape = groups == 1
        ? dims{destination.channels, source.channels, w->kernel[0], w->kernel[1]}
        : dims{groups, destination.channels / groups, source.channels / groups, w->kernel[0], w->kernel[1]};
    memory::desc plain(shape, f32, groups == 1 ? tag::oihw : tag::goihw), any(shape, type, tag::any);
    memory::desc biases({destination.channels}, f32, tag::x);
    dims stride{w->stride[0], w->stride[1]}, dilation{w->dilation[0] - 1, w->dilation[1] - 1};
    dims before{w->pad_before[0], w->pad_before[1]}, after{w->pad_after[0], w->pad_after[1]};
    auto descriptor = bias
        ? MAKE_FORWARD(convolution_forward, attr, algorithm::convolution_direct, from, any, biases, to, stride, dilation, before, after)
        : MAKE_FORWARD(convolution_forward, attr, algorithm::convolution_direct, from, any, to, stride, dilation, before, after);
    std::vector<std::pair<int, memory>> constants{{DNNL_ARG_WEIGHTS, packed(weights, plain, descriptor.weights_desc())}};
    if (bias) constants.emplace_back(DNNL_ARG_BIAS, packed(bias, biases, biases));
    return finish<decltype(descriptor), convolution_forward>(
        descriptor, {{DNNL_ARG_SRC, from}, {DNNL_ARG_DST, to}}, std::move(constants));
}

}  // namespace

extern "C" {

const char *nd_last_error(void) { return last_error.c_str(); }

const char *nd_version(void) {
    static const std::string text = [] {
        auto v = dnnl_version();
        return std::to_string(v->major) + "." + std::to_string(v->minor) + "." + std::to_string(v->patch);
    }();
    return text.c_str();
}

nd_kernel *nd_convolution(nd_map source, nd_map destination, const nd_window *w, int64_t groups, const float *weights,
                          const float *bias, nd_activation activation) {
    return guarded("convolution", [&] {
        return convolution(f32, source, destination, w, groups, weights, bias, attributes(activation));
    });
}

bool nd_has_bfloat16(void) {
    const int needed = dnnl_cpu_isa_avx512_core_bf16;
    return (dnnl_get_effective_cpu_isa() & needed) == needed;
}

nd_kernel *nd_convolution_bfloat16(nd_map source, nd_map destination, const nd_window *w, int64_t groups, const float *weights,
                                   const float *bias, nd_activation activation) {
    return guarded("convolution of bfloat16", [&] {
        return convolution(
            memory::data_type::bf16, source, destination, w, groups, weights, bias, attributes(activation));
    });
}

nd_kernel *nd_pooling(nd_map source, nd_map destination, const nd_window *w, nd_pooling_kind kind) {
    return guarded("pooling", [&]() -> nd_kernel * {
        auto from = describe(source), to = describe(destination);
        auto method = kind == ND_AVERAGE_INCLUDING_PADDING ? algorithm::pooling_avg_include_padding
                                                           : algorithm::pooling_avg_exclude_padding;
        dims kernel{w->kernel[0], w->kernel[1]}, stride{w->stride[0], w->stride[1]};
        dims dilation{w->dilation[0] - 1, w->dilation[1] - 1};
        dims before{w->pad_before[0], w->pad_before[1]}, after{w->pad_after[0], w->pad_after[1]};
        auto attr = attributes();
#if DNNL_VERSION_MAJOR >= 3
        using pooling = pooling_forward;
#else
        using pooling = pooling_v2_forward;
#endif
        auto descriptor = MAKE_FORWARD(pooling, attr, method, from, to, stride, kernel, dilation, before, after);
        return finish<decltype(descriptor), pooling>(descriptor, {{DNNL_ARG_SRC, from}, {DNNL_ARG_DST, to}});
    });
}

nd_kernel *nd_elementwise(nd_map source, nd_map destination, nd_activation a) {
    return guarded("elementwise function", [&]() -> nd_kernel * {
        auto from = describe(source), to = describe(destination);
        auto attr = attributes();
#if DNNL_VERSION_MAJOR >= 3
        auto descriptor = MAKE_FORWARD(eltwise_forward, attr, function_of(a.function), from, to, a.alpha, a.beta);
#else
        auto descriptor = MAKE_FORWARD(eltwise_forward, attr, function_of(a.function), from, a.alpha, a.beta);
#endif
        return finish<decltype(descriptor), eltwise_forward>(descriptor, {{DNNL_ARG_SRC, from}, {DNNL_ARG_DST, to}});
    });
}

nd_kernel *nd_binary(nd_map left, nd_map right, nd_map destination, nd_binary_kind kind, nd_activation activation) {
    return guarded("binary operation", [&]() -> nd_kernel * {
        static const algorithm kinds[] = {algorithm::binary_add, algorithm::binary_sub, algorithm::binary_mul,
                                          algorithm::binary_div, algorithm::binary_max, algorithm::binary_min};
        auto a = describe(left), b = describe(right), to = describe(destination);
        auto attr = attributes(activation);
        auto descriptor = MAKE(binary, attr, kinds[kind], a, b, to);
        return finish<decltype(descriptor), binary>(
            descriptor, {{DNNL_ARG_SRC_0, a}, {DNNL_ARG_SRC_1, b}, {DNNL_ARG_DST, to}});
    });
}

nd_kernel *nd_softmax(nd_map source, nd_map destination, bool logarithm) {
    return guarded("softmax", [&]() -> nd_kernel * {
        auto from = describe(source), to = describe(destination);
        auto attr = attributes();
#if DNNL_VERSION_MAJOR >= 3
        auto method = logarithm ? algorithm::softmax_log : algorithm::softmax_accurate;
        auto descriptor = MAKE_FORWARD(softmax_forward, attr, method, from, to, 1);
        return finish<decltype(descriptor), softmax_forward>(descriptor, {{DNNL_ARG_SRC, from}, {DNNL_ARG_DST, to}});
#else
        auto method = logarithm ? algorithm::softmax_log : algorithm::softmax_accurate;
        auto descriptor = MAKE_FORWARD(softmax_v2_forward, attr, method, from, to, 1);
        return finish<decltype(descriptor), softmax_v2_forward>(descriptor, {{DNNL_ARG_SRC, from}, {DNNL_ARG_DST, to}});
#endif
    });
}

nd_kernel *nd_lrn(nd_map source, nd_map destination, int64_t size, float alpha, float beta, float k) {
    return guarded("local response normalisation", [&]() -> nd_kernel * {
        auto from = describe(source), to = describe(destination);
        auto attr = attributes();
#if DNNL_VERSION_MAJOR >= 3
        auto descriptor = MAKE_FORWARD(lrn_forward, attr, algorithm::lrn_across_channels, from, to, size, alpha, beta, k);
#else
        auto descriptor = MAKE_FORWARD(lrn_forward, attr, algorithm::lrn_across_channels, from, size, alpha, beta, k);
#endif
        return finish<decltype(descriptor), lrn_forward>(descriptor, {{DNNL_ARG_SRC, from}, {DNNL_ARG_DST, to}});
    });
}

nd_kernel *nd_convolution_backward(nd_map source, nd_map destination, const nd_window *w, int64_t groups, const float *weights) {
    return guarded("convolution backward", [&]() -> nd_kernel * {
        auto from = describe(source), to = describe(destination);
        dims shape = groups == 1
            ? dims{source.channels, destination.channels, w->kernel[0], w->kernel[1]}
            : dims{groups, source.channels / groups, destination.channels / groups, w->kernel[0], w->kernel[1]};
        memory::desc plain(shape, f32, groups == 1 ? tag::oihw : tag::goihw), any(shape, f32, tag::any);
        dims stride{w->stride[0], w->stride[1]}, dilation{w->dilation[0] - 1, w->dilation[1] - 1};
        dims before{w->pad_before[0], w->pad_before[1]}, after{w->pad_after[0], w->pad_after[1]};
        auto attr = attributes();
        auto forward = MAKE_FORWARD(convolution_forward, attr, algorithm::convolution_direct, to, any, from, stride, dilation, before, after);
#if DNNL_VERSION_MAJOR >= 3
        auto descriptor = convolution_backward_data::primitive_desc(
            cpu(), algorithm::convolution_direct, to, any, from, stride, dilation, before, after, forward, attr);
#else
        auto descriptor = convolution_backward_data::primitive_desc(
            convolution_backward_data::desc(algorithm::convolution_direct, to, any, from, stride, dilation, before, after), attr, cpu(),
            forward);
#endif
        return finish<decltype(descriptor), convolution_backward_data>(
            descriptor, {{DNNL_ARG_DIFF_DST, from}, {DNNL_ARG_DIFF_SRC, to}},
            {{DNNL_ARG_WEIGHTS, packed(weights, plain, descriptor.weights_desc())}});
    });
}

nd_kernel *nd_elementwise_backward(nd_map map, nd_activation a, bool from_output) {
    return guarded("elementwise function backward", [&]() -> nd_kernel * {
        auto data = describe(map);
        auto attr = attributes();
        auto method = function_of(a.function);
        if (from_output) {
            switch (a.function) {
                case ND_SIGMOID: method = algorithm::eltwise_logistic_use_dst_for_bwd; break;
                case ND_TANH: method = algorithm::eltwise_tanh_use_dst_for_bwd; break;
                case ND_ELU: method = algorithm::eltwise_elu_use_dst_for_bwd; break;
                case ND_EXP: method = algorithm::eltwise_exp_use_dst_for_bwd; break;
                case ND_SQRT: method = algorithm::eltwise_sqrt_use_dst_for_bwd; break;
                default: throw std::invalid_argument("this function's derivative needs its input");
            }
        }
#if DNNL_VERSION_MAJOR >= 3
        auto forward = eltwise_forward::primitive_desc(cpu(), prop_kind::forward_training, method, data, data, a.alpha, a.beta, attr);
        auto descriptor = eltwise_backward::primitive_desc(cpu(), method, data, data, data, a.alpha, a.beta, forward, attr);
#else
        auto forward = eltwise_forward::primitive_desc(
            eltwise_forward::desc(prop_kind::forward_training, method, data, a.alpha, a.beta), attr, cpu());
        auto descriptor = eltwise_backward::primitive_desc(
            eltwise_backward::desc(method, data, data, a.alpha, a.beta), attr, cpu(), forward);
#endif
        return finish<decltype(descriptor), eltwise_backward>(
            descriptor, {{from_output ? DNNL_ARG_DST : DNNL_ARG_SRC, data}, {DNNL_ARG_DIFF_DST, data}, {DNNL_ARG_DIFF_SRC, data}});
    });
}

nd_kernel *nd_lrn_backward(nd_map map, int64_t size, float alpha, float beta, float k) {
    return guarded("local response normalisation backward", [&]() -> nd_kernel * {
        auto data = describe(map);
        auto attr = attributes();
        const auto method = algorithm::lrn_across_channels;
        // Without a workspace, as the forward pass runs for inference; oneDNN then derives what it needs from the input.
#if DNNL_VERSION_MAJOR >= 3
        auto forward = lrn_forward::primitive_desc(cpu(), prop_kind::forward_training, method, data, data, size, alpha, beta, k, attr);
        auto descriptor = lrn_backward::primitive_desc(cpu(), method, data, data, data, size, alpha, beta, k, forward, attr);
#else
        auto forward = lrn_forward::primitive_desc(
            lrn_forward::desc(prop_kind::forward_training, method, data, size, alpha, beta, k), attr, cpu());
        auto descriptor =
            lrn_backward::primitive_desc(lrn_backward::desc(method, data, data, size, alpha, beta, k), attr, cpu(), forward);
#endif
        if (descriptor.workspace_desc().get_size() > 0) throw std::invalid_argument("it needs a workspace here");
        return finish<decltype(descriptor), lrn_backward>(
            descriptor, {{DNNL_ARG_SRC, data}, {DNNL_ARG_DIFF_DST, data}, {DNNL_ARG_DIFF_SRC, data}});
    });
}

void nd_set_threads(int threads) { wanted_threads = threads > 1 && omp().has_teams() ? 2 : 1; }

int nd_get_threads(void) { return wanted_threads; }

int nd_helper(void) {
    thread_local int helper = 0;
#ifdef __linux__
    if (helper == 0 && omp().has_teams()) {
        use_threads(2);
        omp().parallel([](void *data) { if (omp().thread() == 1) *static_cast<int *>(data) = (int)syscall(SYS_gettid); }, &helper, 2, 0);
    }
#endif
    return helper;
}

void nd_split(size_t count, size_t grain, void (*body)(void *, size_t, size_t), void *context) {
    if (wanted_threads == 1 || count < 2 * grain) return body(context, 0, count);
    struct work {
        size_t count, half;
        void (*body)(void *, size_t, size_t);
        void *context;
    } job{count, (count / 2 + grain - 1) / grain * grain, body, context};
    use_threads(wanted_threads);
    omp().parallel([](void *data) {
        const auto &job = *static_cast<work *>(data);
        if (omp().threads() == 1) return job.body(job.context, 0, job.count);
        if (omp().thread() == 0) job.body(job.context, 0, job.half);
        if (omp().thread() == 1) job.body(job.context, job.half, job.count);
    }, &job, 2, 0);
}

void nd_kernel_free(nd_kernel *kernel) { delete kernel; }

size_t nd_kernel_scratch(const nd_kernel *kernel) { return kernel->scratch.get_size(); }

nd_call *nd_bind(const nd_kernel *kernel, float *const *pointers, size_t count, void *scratch) {
    return guarded("binding a kernel", [&]() -> nd_call * {
        if (count != kernel->arguments.size()) throw std::invalid_argument("wrong number of arguments");
        std::unordered_map<int, memory> arguments;
        for (size_t i = 0; i < count; i++)
            arguments.emplace(kernel->arguments[i].first, memory(kernel->arguments[i].second, cpu(), pointers[i]));
        for (const auto &constant : kernel->constants) arguments.emplace(constant.first, constant.second);
        if (kernel->scratch.get_size() > 0)
            arguments.emplace(DNNL_ARG_SCRATCHPAD, memory(kernel->scratch, cpu(), scratch));
        return new nd_call{kernel->compiled, kernel->threads, std::move(arguments), stream(cpu())};
    });
}

bool nd_run(nd_call *call) {
    return guarded("running a kernel", [&] {
        use_threads(wanted_threads < call->threads ? wanted_threads : call->threads);
        call->compiled.execute(call->queue, call->arguments);
        return true;
    });
}

void nd_call_free(nd_call *call) { delete call; }
}
