// libFuzzer on the committed configuration: what `CommittedConfiguration` lets through, as libgit2 reads it.
//
// libgit2 is the system's and was not compiled for the fuzzer, so nothing guides it but the samples; AddressSanitizer sees
// what the C library's functions and the heap do.
#define _GNU_SOURCE
#include <git2.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <unistd.h>

static int file = -1;
static char path[64];

static const char *const samples[] = {
    "[core]\n\tremote = origin\n[remote \"origin\"]\n\turl = s3://bucket/data\n\tendpoint = \"http://localhost:9000\"\n\tregion=eu-central-1\n",
    "# words\n[gc]\n  grace = 14d ; more words\n  runs = 90\n  keepAll\n[model]\n  enforce = true\n",
    "[a \"b\\\"c\\\\d\"]\n  e = \"f\\n\\t\\b\" g \\\n  h\n  i = 0x1f\n  j = -3k\n  k = 7G\n",
    "\xef\xbb\xbf[x.y]z=1\r\n[X]\r\n  y = no\r\n  y = on\r\n", "[remote \"a/b c\"] url = ../other\n", ""};

/// Writes the samples into the folder FUZZ_SEEDS, if that is set, and ends.
static void write_samples(void) {
  const char *folder = getenv("FUZZ_SEEDS");
  if (!folder) return;
  for (size_t number = 0; number < sizeof samples / sizeof *samples; number++) {
    char name[4096];
    snprintf(name, sizeof name, "%s/%zu", folder, number);
    FILE *seed = fopen(name, "w");
    if (!seed || fputs(samples[number], seed) < 0 || fclose(seed)) abort();
  }
  exit(0);
}

int LLVMFuzzerInitialize(int *count, char ***arguments) {
  (void)count;
  (void)arguments;
  write_samples();
  file = memfd_create("config", 0);
  if (file < 0 || git_libgit2_init() < 0) abort();
  snprintf(path, sizeof path, "/proc/self/fd/%d", file);
  return 0;
}

static int look(const git_config_entry *entry, void *count) {
  int bit;
  int64_t number;
  git_buf folder = {0};
  // What dv asks for: text, words for true and false, numbers, paths. libgit2 also gives keys that stand in no section.
  if (!entry->name) abort();
  if (entry->value && strlen(entry->value) > 1 << 20) abort();
  git_config_parse_bool(&bit, entry->value);
  git_config_parse_int64(&number, entry->value);
  if (entry->value && git_config_parse_path(&folder, entry->value) == 0) git_buf_dispose(&folder);
  ++*(size_t *)count;
  return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  // Case does not count to git, so neither here.
  for (size_t start = 0; start + 8 <= size; start++)
    if (!strncasecmp((const char *)bytes + start, "[include", 8)) return 0;
  if (ftruncate(file, 0) || pwrite(file, bytes, size, 0) != (ssize_t)size) abort();
  git_config *config = NULL;
  if (git_config_new(&config)) abort();
  if (git_config_add_file_ondisk(config, path, GIT_CONFIG_LEVEL_LOCAL, NULL, 0) == 0) {
    size_t count = 0;
    git_config_foreach(config, look, &count);
    // No entry takes less than a byte.
    if (count > size) abort();
    git_config_entry *entry = NULL;
    if (git_config_get_entry(&entry, config, "core.remote") == 0) git_config_entry_free(entry);
  }
  git_config_free(config);
  return 0;
}
