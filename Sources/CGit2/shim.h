#ifndef DV_CGIT2_SHIM_H
#define DV_CGIT2_SHIM_H
#include <git2.h>
#include <git2/sys/config.h>
#include <git2/sys/repository.h>

/* git_libgit2_opts takes variable arguments, which Swift cannot pass. */
static inline int dv_git_set_extensions(const char **names, size_t count) {
  return git_libgit2_opts(GIT_OPT_SET_EXTENSIONS, names, count);
}

static inline int dv_git_set_owner_validation(int enabled) {
  return git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, enabled);
}

/* A macro made of a cast, which Swift does not see. */
static inline int dv_git_entry_stage(const git_index_entry *entry) { return GIT_INDEX_ENTRY_STAGE(entry); }
#endif
