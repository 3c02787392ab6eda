/* Takes the place of libgit2's HTTP, TLS and SSH transports in the release binary.
 *
 * dv reads and writes repositories on disk and leaves every network operation to the user's `git`. Without these
 * transports the binary needs neither Kerberos nor libssh2 nor OpenSSL, and starting libgit2 no longer parses the
 * machine's 140 CA certificates, which took 6 of its 7 ms.
 *
 * Each function has the name and the signature of the one it replaces. scripts/static/libraries removes the objects
 * that define the same names from its copy of libgit2.a; if a libgit2 has other names, the link fails and scripts/build
 * links dynamically. */

#include <stdbool.h>

#include <git2.h>
#include <git2/sys/transport.h>

/* An option of the HTTP transport, which git_libgit2_opts sets. */
bool git_http__expect_continue = false;

static int closed(void) {
  git_error_set_str(GIT_ERROR_NET, "this program has no network transports; use git");
  return -1;
}

int git_smart_subtransport_http(git_smart_subtransport **out, git_transport *owner, void *param) { return closed(); }
int git_smart_subtransport_ssh(git_smart_subtransport **out, git_transport *owner, void *param) { return closed(); }
int git_mbedtls__set_cert_location(const char *file, const char *directory) { return closed(); }

/* Called by git_libgit2_init: with nothing to start, they succeed. */
int git_transport_ssh_global_init(void) { return 0; }
int git_mbedtls_stream_global_init(void) { return 0; }
