package fmp4

import "encoding/binary"

// appendTags appends a udta box with what players show as title and encoder, in
// the form that Apple's programs made common.
func appendTags(dst []byte, title, writer string) []byte {
	if title == "" && writer == "" {
		return dst
	}
	dst, udta := openBox(dst, "udta")
	dst, meta := openBox(dst, "meta")
	dst = append(dst, 0, 0, 0, 0)
	dst, at := openBox(dst, "hdlr")
	dst = append(dst, make([]byte, 8)...)
	dst = append(dst, "mdirappl"...)
	dst = append(dst, make([]byte, 9)...)
	closeBox(dst, at)
	dst, at = openBox(dst, "ilst")
	dst = appendTag(dst, "\xa9nam", title)
	dst = appendTag(dst, "\xa9too", writer)
	closeBox(dst, at)
	closeBox(dst, meta)
	closeBox(dst, udta)
	return dst
}

func appendTag(dst []byte, kind, text string) []byte {
	const utf8Text = 1
	if text == "" {
		return dst
	}
	dst, tag := openBox(dst, kind)
	dst, data := openBox(dst, "data")
	dst = binary.BigEndian.AppendUint32(dst, utf8Text)
	dst = binary.BigEndian.AppendUint32(dst, 0) // language and country
	dst = append(dst, text...)
	closeBox(dst, data)
	closeBox(dst, tag)
	return dst
}
