/// Resizing numbers of any kind, one axis after the other: sums in double precision, as Pillow's of its mode F.
extension ExactWeights {
    /// As for pictures; but each of a pixel's own number, where nothing is resized.
    init(ofArray source: Int, target: Int, window: Range<Int>, interpolation: Interpolation) {
        if source == target || interpolation == .nearest {
            let step = Double(source) / Double(target)
            let starts = window.map { Int32(min(Int((Double($0) + 0.5) * step), source - 1)) }
            self.init(
                starts: starts, counts: [Int32](repeating: 1, count: starts.count),
                weights: [Double](repeating: 1, count: starts.count), taps: 1)
        } else if interpolation == .opencv {
            // From the two nearest pixels, however much it shrinks.
            let (scale, taps) = (Double(source) / Double(target), min(source, 2))
            var (starts, weights): ([Int32], [Double]) = ([], [])
            for index in window {
                let place = min(max((Double(index) + 0.5) * scale - 0.5, 0), Double(source - 1))
                let start = min(Int(place), max(source - 2, 0))
                starts.append(Int32(start))
                weights += taps == 1 ? [1] : [Double(start + 1) - place, place - Double(start)]
            }
            self.init(
                starts: starts, counts: [Int32](repeating: Int32(taps), count: starts.count), weights: weights, taps: taps)
        } else {
            self.init(source: source, target: target, window: window, interpolation: interpolation)
        }
    }

    /// Each row made `starts.count` long.
    /// - Parameter values: height × width × channels.
    func horizontal(_ values: [Float], height: Int, width: Int, channels: Int) -> [Float] {
        let length = starts.count
        return [Float](unsafeUninitializedCapacity: height * length * channels) { result, written in
            values.withUnsafeBufferPointer { values in
                weights.withUnsafeBufferPointer { weights in
                    var place = 0
                    for y in 0..<height {
                        for x in 0..<length {
                            let start = (y * width + Int(starts[x])) * channels
                            for channel in 0..<channels {
                                var sum = 0.0
                                for k in 0..<Int(counts[x]) where weights[x * taps + k] != 0 {
                                    sum += weights[x * taps + k] * Double(values[start + k * channels + channel])
                                }
                                result[place] = Float(sum)
                                place += 1
                            }
                        }
                    }
                }
            }
            written = height * length * channels
        }
    }

    /// Each column made `starts.count` long, of rows of `rowLength` numbers.
    func vertical(_ values: [Float], rowLength: Int) -> [Float] {
        let length = starts.count
        return [Float](unsafeUninitializedCapacity: length * rowLength) { result, written in
            values.withUnsafeBufferPointer { values in
                weights.withUnsafeBufferPointer { weights in
                    for y in 0..<length {
                        for x in 0..<rowLength {
                            var sum = 0.0
                            for k in 0..<Int(counts[y]) where weights[y * taps + k] != 0 {
                                sum += weights[y * taps + k] * Double(values[(Int(starts[y]) + k) * rowLength + x])
                            }
                            result[y * rowLength + x] = Float(sum)
                        }
                    }
                }
            }
            written = length * rowLength
        }
    }
}
