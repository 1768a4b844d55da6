// Package strictjson decodes JSON from strangers. What encoding/json accepts
// silently is an error here: unknown names, names in another case, names that
// appear twice, text after the value, text that is not UTF-8, and escapes of
// half a character (lone surrogates, which readers replace or keep). Two readers of
// one signed message must never understand two different things.
package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Unmarshal decodes exactly one JSON value from data into v, a non-nil pointer.
// Objects may be decoded into structs (embedded structs included) only, so that
// every permitted name is written down in a type; the one exception is an
// object inside a json.RawMessage, which is left for a later call. It limits no
// lengths: the caller does, before and after.
func Unmarshal(data []byte, v any) error {
	if !utf8.Valid(data) {
		return errors.New("not valid UTF-8")
	}
	if hasLoneSurrogate(data) {
		return errors.New("an escape of half a character")
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	if err := checkValue(dec, reflect.TypeOf(v)); err != nil {
		return err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("text after the JSON value")
	}
	return json.Unmarshal(data, v)
}

// hasLoneSurrogate reports whether JSON text has a \u escape of a surrogate that is
// not one half of a pair. Backslashes are only in strings, or the text is no JSON.
func hasLoneSurrogate(data []byte) bool {
	high := -1 // where the escape begins that must complete the one before
	for i := 0; i < len(data); {
		if high >= 0 && (i != high || data[i] != '\\') {
			return true
		}
		if data[i] != '\\' {
			i++
			continue
		}
		unit, ok := escapedUnit(data[i:])
		low := ok && unit >= 0xDC00 && unit <= 0xDFFF
		if low != (high >= 0) {
			return true
		}
		high = -1
		switch {
		case !ok:
			i += 2
		case unit >= 0xD800 && unit <= 0xDBFF:
			i += 6
			high = i
		default:
			i += 6
		}
	}
	return high >= 0
}

// escapedUnit reads a \u escape.
func escapedUnit(data []byte) (unit uint64, ok bool) {
	if len(data) < 6 || data[1] != 'u' {
		return 0, false
	}
	unit, err := strconv.ParseUint(string(data[2:6]), 16, 16)
	return unit, err == nil
}

// checkValue reads the next value and compares its names with t.
func checkValue(dec *json.Decoder, t reflect.Type) error {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == reflect.TypeFor[json.RawMessage]() {
		var skip json.RawMessage
		return dec.Decode(&skip)
	}
	tok, err := dec.Token()
	if err != nil {
		return noEOF(err)
	}
	switch tok {
	case json.Delim('{'):
		if t.Kind() != reflect.Struct {
			return errors.New("an object where none belongs")
		}
		return checkObject(dec, t)
	case json.Delim('['):
		if t.Kind() != reflect.Slice {
			return errors.New("an array where none belongs")
		}
		for dec.More() {
			if err := checkValue(dec, t.Elem()); err != nil {
				return err
			}
		}
		_, err := dec.Token()
		return noEOF(err)
	}
	return nil
}

func checkObject(dec *json.Decoder, t reflect.Type) error {
	names := fields(t)
	for dec.More() {
		tok, err := dec.Token()
		if err != nil {
			return noEOF(err)
		}
		name, ok := tok.(string)
		if !ok {
			return fmt.Errorf("%v where a name belongs", tok)
		}
		field, ok := names[name]
		if !ok {
			return errors.New("an unknown or repeated name in an object")
		}
		delete(names, name)
		if err := checkValue(dec, field); err != nil {
			return err
		}
	}
	_, err := dec.Token()
	return noEOF(err)
}

// fields returns the JSON names of a struct and their types.
func fields(t reflect.Type) map[string]reflect.Type {
	names := make(map[string]reflect.Type, t.NumField())
	for _, f := range reflect.VisibleFields(t) {
		tag, tagged := f.Tag.Lookup("json")
		name, _, _ := strings.Cut(tag, ",")
		if !f.IsExported() || !tagged || name == "-" || name == "" {
			continue
		}
		names[name] = f.Type
	}
	return names
}

// noEOF turns an end of the input in the middle of a value into an error that
// no caller mistakes for the end of a stream.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
