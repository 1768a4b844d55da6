package testpattern

// field is a line of letters of fixed width that change in place, such as a
// clock's.
type field struct {
	cells []cell
	shade uint8
	faces map[byte]mask
}

// cell is the place of one letter of a field.
type cell struct {
	rect
	letter byte
}

// fieldStyle says how a field is drawn.
type fieldStyle struct {
	lettering
	digit, mark, height int // size of a digit's cell, width of a mark's
	shade               uint8
}

// newField returns a field with its top left corner at x, y that shows any
// text of the form of pattern: digits wherever that has digits, and the same
// marks elsewhere.
func newField(t *typeface, x, y int, pattern string, style fieldStyle) *field {
	f := &field{shade: style.shade, faces: map[byte]mask{}}
	for i := range len(pattern) {
		width, letters := style.digit, "0123456789"
		if pattern[i] < '0' || pattern[i] > '9' {
			width, letters = style.mark, pattern[i:i+1]
		}
		f.cells = append(f.cells, cell{rect: rect{x, y, x + width, y + style.height}})
		x += width
		for k := range len(letters) {
			if _, ok := f.faces[letters[k]]; !ok {
				f.faces[letters[k]] = t.cell(rune(letters[k]), width, style.height, style.lettering)
			}
		}
	}
	return f
}

// set shows text, of the form that the field was made for, and calls changed
// for each cell that now looks different.
func (f *field) set(text []byte, changed func(rect)) {
	for i := range f.cells {
		if c := &f.cells[i]; c.letter != text[i] {
			c.letter = text[i]
			changed(c.rect)
		}
	}
}

func (f *field) bounds() rect {
	first, last := f.cells[0].rect, f.cells[len(f.cells)-1].rect
	return rect{first.x0, first.y0, last.x1, last.y1}
}

func (f *field) paint(p *pixels, x, y int) {
	mb := rect{x, y, x + 16, y + 16}
	for i := range f.cells {
		c := &f.cells[i]
		if !c.intersect(mb).empty() {
			ink{c.x0, c.y0, f.faces[c.letter], f.shade}.paint(p, x, y)
		}
	}
}
