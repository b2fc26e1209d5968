extension Node {
  /// True if `TextForm.value` writes this object as an array.
  package var isShownAsArray: Bool { block?.isArray ?? false }
}
