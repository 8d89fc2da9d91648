import Foundation

/// Bytes of a file, which stay in the file: the system reads them when they are looked at, and lets them go when it is told to.
///
/// Not to be kept for long: where another program cuts the file short meanwhile, looking at them ends this one.
struct FileBytes: Sendable {
    let data: Data
    private let isMapped: Bool

    /// None.
    init() { self.init(Data()) }

    /// Bytes in ordinary memory.
    init(_ data: Data) { (self.data, isMapped) = (data, false) }

    private init(_ data: Data, isMapped: Bool) { (self.data, self.isMapped) = (data, isMapped) }

    /// What keeps a file from being read, in words.
    struct Obstacle: Error { var reason: String }

    /// - Throws: `Obstacle`: also for a pipe, which would be waited for, and a device, which has no end.
    init(contentsOf url: URL) throws(Obstacle) {
        let descriptor = open(url.path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw Obstacle(reason: String(cString: strerror(errno))) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw Obstacle(reason: String(cString: strerror(errno))) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw Obstacle(reason: "it is no file but a pipe, socket or device") }
        guard status.st_size > 0, let start = mmap(nil, Int(status.st_size), PROT_READ, MAP_PRIVATE, descriptor, 0),
            start != MAP_FAILED
        else {
            guard let data = try? Data(contentsOf: url) else { throw Obstacle(reason: "its bytes cannot be read") }
            self.init(data)
            return
        }
        let unmap = Data.Deallocator.custom { start, count in munmap(start, count) }
        self.init(Data(bytesNoCopy: start, count: Int(status.st_size), deallocator: unmap), isMapped: true)
    }

    var count: Int { data.count }

    /// - Parameter range: counted from the first of these bytes.
    func part(_ range: Range<Int>) -> FileBytes {
        FileBytes(data[data.startIndex + range.lowerBound..<data.startIndex + range.upperBound], isMapped: isMapped)
    }

    /// Lets the memory go that whole pages of these bytes take, until they are looked at again.
    func release() {
        guard isMapped else { return }
        data.withUnsafeBytes { bytes in
            let page = Int(getpagesize())
            guard let start = bytes.baseAddress else { return }
            let (first, end) = (Int(bitPattern: start), Int(bitPattern: start) + bytes.count)
            let (inner, outer) = ((first + page - 1) / page * page, end / page * page)
            guard inner < outer, let from = UnsafeMutableRawPointer(bitPattern: inner) else { return }
            madvise(from, outer - inner, MADV_DONTNEED)
        }
    }
}
