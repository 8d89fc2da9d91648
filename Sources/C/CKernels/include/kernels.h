// Loops that a compiler must see as C to make the best of a processor: one header for each client.
#ifndef NEURODEX_KERNELS_H
#define NEURODEX_KERNELS_H

#include "activations.h"
#include "allocator.h"
#include "bfloat16.h"
#include "checksum.h"
#include "columns.h"
#include "functions.h"
#include "linear.h"
#include "lists.h"
#include "logistic.h"
#include "matching.h"
#include "matrix.h"
#include "quantization.h"
#include "ranks.h"
#include "recurrent.h"
#include "resize.h"
#include "sampling.h"
#include "scores.h"
#include "selections.h"
#include "transpose.h"
#include "winograd.h"

#endif
