import Engine
import JSONTree
import Rules
import Testing

@Suite struct QueryTests {
  @Test func `every order of the corpus is kept`() throws {
    for item in try QueryCorpus.cases("queries/orders.json") {
      let location = item["location"]
      let index = try Query.Index(item["orderBy"].string ?? "")
      var order: [String] = []
      for limit in 1...location.childCount {
        let query = try Query(index: index, limit: limit, fromEnd: false)
        let shown = filtered(location, query: query, index: nil)
        shown.forEachChild { key, _ in
          if !order.contains(key.text) { order.append(key.text) }
          return true
        }
        let last = try Query(index: index, limit: location.childCount - limit + 1, fromEnd: true)
        #expect(!filtered(location, query: last, index: nil)[order[limit - 1]].isNull, "\(item["name"])")
      }
      #expect(order == QueryCorpus.elements(of: item["order"]).compactMap(\.string), "\(item["name"])")
    }
  }

  @Test func `every query of the corpus shows what it should`() throws {
    for item in try QueryCorpus.cases("queries/windows.json") {
      let query = try QueryCorpus.query(item["query"])
      let location = item["location"]
      let index = query.needsIndex ? ChildIndex(building: location, order: query.index) : nil
      #expect(filtered(location, query: query, index: nil) == item["shows"], "\(item["name"])")
      #expect(filtered(location, query: query, index: index) == item["shows"], "\(item["name"])")
      #expect(QueryModel.value(location, query).onlyShown(query) == item["shows"], "\(item["name"])")
    }
  }

  @Test func `a limit is at least one`() throws {
    #expect(try Query(limit: 1).limit == 1)
    #expect(throws: QueryError.limitNotPositive) { try Query(limit: 0) }
    #expect(throws: QueryError.limitNotPositive) { try Query(limit: .min) }
  }

  @Test func `a limit of any size is fine`() throws {
    let location = try Node.parse(#"{"a":1,"b":2}"#)
    for index in [Query.Index.key, .value] {
      for fromEnd in [true, false] {
        let query = try Query(index: index, limit: .max, fromEnd: fromEnd)
        var view = View(path: [], query: query, isIndexed: true)
        var sorted = ChildIndex(building: location, order: .value)
        #expect(view.start(location, index: index == .key ? nil : sorted) == location)
        let key = ChildKey(unchecked: "c")
        let after = location.setting(Node(3), at: [key])
        sorted.update(key, from: .null, to: Node(3), in: after)
        let change = view.update(
          before: location, after: after, touched: [[key]], index: index == .key ? nil : sorted)
        #expect(change == .merge([], [MergeEntry([key], Node(3))]))
      }
    }
  }

  @Test func `bounds are leaves, and of a type that the order has`() throws {
    let object = try Node.parse(#"{"a":1}"#)
    #expect(throws: QueryError.invalidBound) { try Query(index: .value, start: Bound(start: object)) }
    #expect(throws: QueryError.invalidBound) { try Query(index: .priority, end: Bound(end: Node(true))) }
    #expect(throws: QueryError.keyBoundNotString) { try Query(index: .key, start: Bound(start: Node(5))) }
    #expect(throws: QueryError.keyBoundNotString) { try Query(index: .key, end: Bound(end: .null)) }
    #expect(try Query(index: .value, start: Bound(start: .null)).start?.value == .null)
    #expect(try Query(index: .priority, start: Bound(start: .null)).isDefault == false)
  }

  @Test func `an order goes by a path below the children`() throws {
    #expect(try Query.Index("addr/zip") == .child([ChildKey("addr"), ChildKey("zip")]))
    #expect(try Query.Index(".value") == .value)
    for name in ["", "/", ".sv", "a/.priority", "a#b", "$key"] {
      #expect(throws: QueryError.invalidIndex) { try Query.Index(name) }
    }
    #expect(throws: QueryError.invalidIndex) { try Query(index: .child([])) }
    #expect(throws: QueryError.invalidIndex) { try Query(index: .child(Path([ChildKey("a")]).priority)) }
  }

  @Test func `a bound's key may be longer than any key`() throws {
    let long = String(repeating: "z", count: 5_000)
    let location = try Node.parse(#"{"a":1,"zz":2}"#)
    let query = try Query(index: .key, end: Bound(end: Node(long)))
    #expect(filtered(location, query: query, index: nil) == location)
    let byValue = try Query(index: .value, start: Bound(start: Node(1), key: QueryKey(long)))
    #expect(filtered(location, query: byValue, index: nil) == Node(children: [(try ChildKey("zz"), Node(2))]))
  }

  @Test func `queries that mean the same are equal`() throws {
    let short = try Query(index: .value, start: Bound(start: Node(2)), limit: 3)
    let long = try Query(
      index: .value, start: Bound(start: Node(number: 2.0), key: .min, inclusive: false), limit: 3,
      fromEnd: false)
    #expect(short == long)
    #expect(short.hashValue == long.hashValue)
    #expect(try Query(index: .key).shared == .all)
    #expect(try Query(index: .key) != .all)
    #expect(try Query(fromEnd: true) == .all)
    #expect(short != (try Query(index: .value, start: Bound(start: Node("2")), limit: 3)))
  }

  @Test func `rules are told what the query asks`() throws {
    #expect(Query.all.facts.orderByPriority)
    let one = try Query(
      index: .child([ChildKey("a"), ChildKey("b")]), start: Bound(start: Node(1)), end: Bound(end: Node(1)))
    #expect(one.facts.orderByChild == "a/b")
    #expect(one.facts.equalTo == Node(1))
    #expect(one.facts.orderByPriority == false)
    let range = try Query(
      index: .key, start: Bound(start: Node("a")), end: Bound(before: Node("a")), limit: 5, fromEnd: true)
    #expect(range.facts.orderByKey)
    #expect(range.facts.equalTo == nil)
    #expect(range.facts.startAt == Node("a"))
    #expect(range.facts.limitToLast == 5)
    #expect(range.facts.limitToFirst == nil)
    #expect(try Query(index: .value, limit: 2, fromEnd: false).facts.limitToFirst == 2)
  }

  @Test func `REST bounds leave out a value or a pair`() throws {
    let location = try Node.parse(#"{"a":1,"b":2,"c":2,"d":3}"#)
    func keys(_ query: Query) -> [String] {
      QueryModel.children(filtered(location, query: query, index: nil), .all).map(\.key.text)
    }
    #expect(keys(try Query(index: .value, start: Bound(after: Node(2)))) == ["d"])
    #expect(keys(try Query(index: .value, end: Bound(before: Node(2)))) == ["a"])
    let b = QueryKey("b")
    #expect(keys(try Query(index: .value, start: Bound(after: Node(2), key: b))) == ["c", "d"])
    #expect(keys(try Query(index: .value, end: Bound(before: Node(2), key: QueryKey("c")))) == ["a", "b"])
    #expect(keys(try Query(index: .key, start: Bound(after: Node("b")))) == ["c", "d"])
    #expect(keys(try Query(index: .key, end: Bound(before: Node("b")))) == ["a"])
  }
}

extension Node {
  /// The model's value without the location's priority for a filtered query, and nothing for a leaf.
  fileprivate func onlyShown(_ query: Query) -> Node {
    query.isDefault ? self : isObject ? withPriority(.null) : .null
  }
}
