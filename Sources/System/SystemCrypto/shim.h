// Its EVP functions would bring the whole library into a program that is linked statically: 2.7 MB for one hash.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>
