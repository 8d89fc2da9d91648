// Multinomial logistic regression: the loops over examples, features and classes.
#ifndef NDX_LOGISTIC_H
#define NDX_LOGISTIC_H

#include <stddef.h>

/// Examples that are taken at once, so that the weights are read a quarter as often.
enum { NDX_EXAMPLES_TOGETHER = 4 };

/// scores[e][c] = b[c] + Σ_f features[e][f] · W[f][c], added up in the order of the features. `parameters` is W, a row of `classes`
/// numbers for each of `width` features, and then b.
void ndx_linear_scores(
    const double *features, size_t examples, size_t width, size_t classes, const double *parameters, double *scores);

/// Returns the sum over the examples of −log softmax(scores)[label], and adds its derivative by every parameter to `gradient`.
/// `scores` is room for those of `NDX_EXAMPLES_TOGETHER` examples.
double ndx_logistic_loss(
    const double *features, const ptrdiff_t *labels, size_t examples, size_t width, size_t classes, const double *parameters,
    double *scores, double *gradient);

#endif
