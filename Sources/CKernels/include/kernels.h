#ifndef KERNELS_H
#define KERNELS_H

#include "columns.h"
#include "transpose.h"

#endif
