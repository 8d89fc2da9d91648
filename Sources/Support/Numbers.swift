extension Double {
    /// The same as a whole number, where it is one below 10¹⁵, which a `Double` tells from its neighbours; else nil.
    package var wholeNumber: Int? { self == rounded() && abs(self) < 1e15 ? Int(self) : nil }

    /// As short as it can be written so that it is read as the same: whole numbers without a point.
    package var shortText: String { wholeNumber.map { "\($0)" } ?? "\(self)" }
}
