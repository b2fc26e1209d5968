// What the load generator needs of Linux and Swift's Glibc module does not show. No system headers here: the two
// modules would disagree about their types.
#include <stddef.h>

/// Where `needle` begins in `bytes`; null when it is not there.
const void *find_bytes(const void *bytes, size_t count, const void *needle, size_t length);

/// A new poller.
int make_poller(void);

/// Reports `index` whenever `descriptor` can be read.
void add_reader(int poller, int descriptor, unsigned index);

/// Fills `indexes` with those that can be read, waiting at most so long, and says how many there are.
int wait_readable(int poller, unsigned *indexes, int capacity, int milliseconds);
