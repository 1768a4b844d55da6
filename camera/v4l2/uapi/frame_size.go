package uapi

// Range is the values from Min to Max, Step apart. Where there is one value alone, Min
// is Max and Step 0; else Min < Max and Step is at least 1.
type Range struct{ Min, Max, Step uint32 }

// FrameSize is a size, or a range of sizes, of a format (VIDIOC_ENUM_FRAMESIZES). Width
// and Height are in pixels, from 1 to 65,535.
type FrameSize struct{ Width, Height Range }
