#ifndef KERNELS_H
#define KERNELS_H

#include "resize.h"

#endif
