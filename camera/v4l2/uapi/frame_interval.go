package uapi

// FrameInterval is an interval, or a range of them, at a size (VIDIOC_ENUM_FRAMEINTERVALS).
// Where there is one alone, Min is Max and Step zero. Min, the fastest, and Max have neither
// a zero numerator nor a zero denominator; of a continuous range Step is zero too.
type FrameInterval struct{ Min, Max, Step Fraction }
