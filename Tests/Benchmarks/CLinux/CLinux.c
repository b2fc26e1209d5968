#define _GNU_SOURCE
#include "CLinux.h"

#include <string.h>
#include <sys/epoll.h>

const void *find_bytes(const void *bytes, size_t count, const void *needle, size_t length) {
  return memmem(bytes, count, needle, length);
}

int make_poller(void) { return epoll_create1(0); }

void add_reader(int poller, int descriptor, unsigned index) {
  struct epoll_event event = {.events = EPOLLIN, .data.u32 = index};
  epoll_ctl(poller, EPOLL_CTL_ADD, descriptor, &event);
}

int wait_readable(int poller, unsigned *indexes, int capacity, int milliseconds) {
  struct epoll_event events[512];
  int count = epoll_wait(poller, events, capacity < 512 ? capacity : 512, milliseconds);
  for (int i = 0; i < count; i++) indexes[i] = events[i].data.u32;
  return count;
}
