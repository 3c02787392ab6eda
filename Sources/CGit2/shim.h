#ifndef DV_CGIT2_SHIM_H
#define DV_CGIT2_SHIM_H
#include <git2.h>
#include <git2/sys/config.h>
#include <git2/sys/repository.h>
#endif
