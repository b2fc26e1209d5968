#ifndef CSDK_H
#define CSDK_H

#include <stddef.h>

/* One file of sdk-js/dist, as it is and gzipped. */
struct csdk_file {
  const char *name;
  const unsigned char *bytes;
  size_t count;
  const unsigned char *gzipped;
  size_t gzipped_count;
};

extern const struct csdk_file csdk_files[];
extern const size_t csdk_file_count;

static inline const struct csdk_file *csdk_files_start(void) { return csdk_files; }

#endif
