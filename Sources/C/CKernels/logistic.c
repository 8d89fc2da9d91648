#include "logistic.h"

#include <math.h>
#include <string.h>

#include "clones.h"

// The same bits everywhere: no multiply-add may be fused in one clone and not in another.
#pragma STDC FP_CONTRACT OFF


NDX_CLONES
void ndx_linear_scores(
    const double *features, size_t examples, size_t width, size_t classes, const double *parameters, double *scores
) {
    for (size_t first = 0; first < examples; first += NDX_EXAMPLES_TOGETHER) {
        size_t rest = examples - first, count = rest < NDX_EXAMPLES_TOGETHER ? rest : NDX_EXAMPLES_TOGETHER;
        double *own = scores + first * classes;
        for (size_t k = 0; k < count; k++) memcpy(own + k * classes, parameters + width * classes, classes * sizeof *own);
        for (size_t f = 0; f < width; f++) {
            const double *restrict weights = parameters + f * classes;
            for (size_t k = 0; k < count; k++) {
                double value = features[(first + k) * width + f];
                double *restrict into = own + k * classes;
                for (size_t c = 0; c < classes; c++) into[c] += value * weights[c];
            }
        }
    }
}

/// Makes of scores the derivatives of −log softmax[label] by them, and returns it.
static double softmax(double *scores, size_t classes, size_t label) {
    double largest = scores[0], own = scores[label], total = 0;
    for (size_t c = 1; c < classes; c++)
        if (scores[c] > largest) largest = scores[c];
    for (size_t c = 0; c < classes; c++) total += scores[c] = exp(scores[c] - largest);
    for (size_t c = 0; c < classes; c++) scores[c] /= total;
    scores[label] -= 1;
    return log(total) + largest - own;
}

NDX_CLONES
static void add_gradient(
    const double *features, size_t count, size_t width, size_t classes, const double *slopes, double *gradient
) {
    for (size_t f = 0; f <= width; f++) {
        double *restrict into = gradient + f * classes;
        for (size_t k = 0; k < count; k++) {
            double value = f < width ? features[k * width + f] : 1;
            const double *restrict own = slopes + k * classes;
            for (size_t c = 0; c < classes; c++) into[c] += value * own[c];
        }
    }
}

double ndx_logistic_loss(
    const double *features, const ptrdiff_t *labels, size_t examples, size_t width, size_t classes, const double *parameters,
    double *scores, double *gradient
) {
    double loss = 0;
    for (size_t first = 0; first < examples; first += NDX_EXAMPLES_TOGETHER) {
        size_t rest = examples - first, count = rest < NDX_EXAMPLES_TOGETHER ? rest : NDX_EXAMPLES_TOGETHER;
        const double *own = features + first * width;
        ndx_linear_scores(own, count, width, classes, parameters, scores);
        for (size_t k = 0; k < count; k++) loss += softmax(scores + k * classes, classes, (size_t)labels[first + k]);
        add_gradient(own, count, width, classes, scores, gradient);
    }
    return loss;
}
