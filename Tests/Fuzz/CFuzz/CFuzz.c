// SwiftPM wants a source file; libFuzzer comes with the compiler.
