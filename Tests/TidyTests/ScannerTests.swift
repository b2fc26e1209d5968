import Testing

/// The tidiness checks stand on this reading of the source, so it has tests of its own.
@Suite struct ScannerTests {
  private func code(_ text: String) -> [String] {
    SourceFile(path: "Sources/Engine/Sample.swift", text: text).codeLines
  }

  @Test func `comments and the insides of strings are blank`() {
    #expect(code("let a = 1 // try! it") == ["let a = 1           "])
    #expect(code("let a = \"as! b\" + c") == ["let a = \"     \" + c"])
    #expect(code("a /* x /* y */ z */ b") == ["a                   b"])
    #expect(code("#\"a\"b\"# c") == ["#\"   \"# c"])
  }

  @Test func `code inside an interpolation is seen and quotes inside it do not end the string`() {
    #expect(code(#"a("x\(f("}"))y") + b"#).first?.contains("f(\" \")") == true)
    #expect(code(#"a("x\(f("}"))y") + b"#).first?.hasSuffix("+ b") == true)
  }

  @Test func `a string over several lines keeps its line breaks`() {
    let text = "let a = \"\"\"\n  try! {\n  \"\"\"\nlet b = 2"
    #expect(code(text).count == 4)
    #expect(code(text)[1].contains("try!") == false)
    #expect(code(text)[3] == "let b = 2")
  }

  @Test func `a function is measured from its declaration to its closing brace`() {
    let text = """
      protocol P {
        func a() -> Int
        func b()
      }
      struct S: P {
        func a() -> Int {
          if true { return 1 }
          return 2
        }
        init(_ body: () -> Void = { }) { body() }
        func b() {}
      }
      """
    let functions = SourceFile(path: "Sources/Engine/Sample.swift", text: text).functions
    #expect(functions.map(\.name) == ["a", "init", "b"])
    #expect(functions.map(\.length) == [4, 1, 1])
  }

  @Test func `imports are read through their access words`() {
    let text = "import A\npackage import B\n@testable import C\nimport struct D.E"
    let imports = SourceFile(path: "Sources/Engine/Sample.swift", text: text).imports
    #expect(imports.map(\.module) == ["A", "B", "C", "D"])
    #expect(imports.map(\.line) == [1, 2, 3, 4])
  }
}
