/* The SDK within the binary: the bytes of sdk-js/dist are read by the compiler, so they need no copy of their own here
   and a binary that is carried elsewhere has them with it. `make sdk` writes both folders. */

#include "csdk.h"

#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char weapp[] = {
#embed "../../sdk-js/dist/dhole-weapp.min.js"
};
static const unsigned char weapp_gzipped[] = {
#embed "../../sdk-js/gzip/dhole-weapp.min.js.gz"
};
static const unsigned char alipay[] = {
#embed "../../sdk-js/dist/dhole-alipay.min.js"
};
static const unsigned char alipay_gzipped[] = {
#embed "../../sdk-js/gzip/dhole-alipay.min.js.gz"
};
static const unsigned char douyin[] = {
#embed "../../sdk-js/dist/dhole-douyin.min.js"
};
static const unsigned char douyin_gzipped[] = {
#embed "../../sdk-js/gzip/dhole-douyin.min.js.gz"
};
static const unsigned char baidu[] = {
#embed "../../sdk-js/dist/dhole-baidu.min.js"
};
static const unsigned char baidu_gzipped[] = {
#embed "../../sdk-js/gzip/dhole-baidu.min.js.gz"
};
static const unsigned char qq[] = {
#embed "../../sdk-js/dist/dhole-qq.min.js"
};
static const unsigned char qq_gzipped[] = {
#embed "../../sdk-js/gzip/dhole-qq.min.js.gz"
};
static const unsigned char kuaishou[] = {
#embed "../../sdk-js/dist/dhole-kuaishou.min.js"
};
static const unsigned char kuaishou_gzipped[] = {
#embed "../../sdk-js/gzip/dhole-kuaishou.min.js.gz"
};
static const unsigned char uni[] = {
#embed "../../sdk-js/dist/dhole-uni.min.js"
};
static const unsigned char uni_gzipped[] = {
#embed "../../sdk-js/gzip/dhole-uni.min.js.gz"
};
static const unsigned char taro[] = {
#embed "../../sdk-js/dist/dhole-taro.min.js"
};
static const unsigned char taro_gzipped[] = {
#embed "../../sdk-js/gzip/dhole-taro.min.js.gz"
};
static const unsigned char web[] = {
#embed "../../sdk-js/dist/dhole-web.min.js"
};
static const unsigned char web_gzipped[] = {
#embed "../../sdk-js/gzip/dhole-web.min.js.gz"
};
static const unsigned char node[] = {
#embed "../../sdk-js/dist/dhole-node.min.js"
};
static const unsigned char node_gzipped[] = {
#embed "../../sdk-js/gzip/dhole-node.min.js.gz"
};
static const unsigned char firebase_weapp[] = {
#embed "../../sdk-js/dist/dhole-firebase-weapp.min.js"
};
static const unsigned char firebase_weapp_gzipped[] = {
#embed "../../sdk-js/gzip/dhole-firebase-weapp.min.js.gz"
};
static const unsigned char firebase_web[] = {
#embed "../../sdk-js/dist/dhole-firebase-web.min.js"
};
static const unsigned char firebase_web_gzipped[] = {
#embed "../../sdk-js/gzip/dhole-firebase-web.min.js.gz"
};
static const unsigned char firebase_module[] = {
#embed "../../sdk-js/dist/dhole-firebase.min.mjs"
};
static const unsigned char firebase_module_gzipped[] = {
#embed "../../sdk-js/gzip/dhole-firebase.min.mjs.gz"
};
static const unsigned char firebase_node[] = {
#embed "../../sdk-js/dist/dhole-firebase-node.min.js"
};
static const unsigned char firebase_node_gzipped[] = {
#embed "../../sdk-js/gzip/dhole-firebase-node.min.js.gz"
};
static const unsigned char integrity_json[] = {
#embed "../../sdk-js/dist/integrity.json"
};

#define FILE(name, bytes) {name, bytes, sizeof bytes, bytes##_gzipped, sizeof bytes##_gzipped}

const struct csdk_file csdk_files[] = {
  {"integrity.json", integrity_json, sizeof integrity_json, NULL, 0},
  FILE("dhole-weapp.min.js", weapp),
  FILE("dhole-alipay.min.js", alipay),
  FILE("dhole-douyin.min.js", douyin),
  FILE("dhole-baidu.min.js", baidu),
  FILE("dhole-qq.min.js", qq),
  FILE("dhole-kuaishou.min.js", kuaishou),
  FILE("dhole-uni.min.js", uni),
  FILE("dhole-taro.min.js", taro),
  FILE("dhole-web.min.js", web),
  FILE("dhole-node.min.js", node),
  FILE("dhole-firebase-weapp.min.js", firebase_weapp),
  FILE("dhole-firebase-web.min.js", firebase_web),
  FILE("dhole-firebase.min.mjs", firebase_module),
  FILE("dhole-firebase-node.min.js", firebase_node),
};
const size_t csdk_file_count = sizeof csdk_files / sizeof csdk_files[0];
