package config

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// maxDepth is how deep brackets may be nested; settings need three levels.
const maxDepth = 8

// parse reads the settings in data, which stood in file.
func parse(file string, data []byte) (*Config, error) {
	c := &Config{file: file, lines: map[string]int{}}
	d := decoder{file: file, lines: c.lines}
	switch {
	case len(data) > maxFile:
		d.add(0, "", "the file is larger than %d bytes", maxFile)
	case !utf8.Valid(data):
		d.add(0, "", "the file is not UTF-8 text; save it as UTF-8")
	default:
		d.document(data, reflect.ValueOf(c).Elem())
	}
	if err := d.problems.err(); err != nil {
		return nil, err
	}
	return c, nil
}

// decoder fills Go values from a YAML tree and collects every mistake. It does
// not use the library's own decoder, whose messages quote the source: a
// password in a URL would end up in a log.
type decoder struct {
	file     string
	lines    map[string]int
	problems Problems
}

// add notes a mistake.
func (d *decoder) add(line int, key, format string, args ...any) {
	d.problems = append(d.problems, Problem{File: d.file, Line: line, Key: key, Text: fmt.Sprintf(format, args...)})
}

// document decodes the one document of a file. An empty file is one with no
// settings.
func (d *decoder) document(data []byte, to reflect.Value) {
	tokens := lexer.Tokenize(string(data))
	if !d.tokens(tokens) {
		return
	}
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		line, text := 0, "the file is not valid YAML; check indentation and quotes"
		if e, ok := errors.AsType[yaml.Error](err); ok && e.GetToken() != nil {
			line = e.GetToken().Position.Line
			// What follows a quote or colon may be a value of the file.
			reason, _, _ := strings.Cut(e.GetMessage(), `"`)
			reason, _, _ = strings.Cut(reason, ":")
			text = "not valid YAML (" + strings.TrimSpace(reason) + "); check indentation and quotes"
		}
		d.add(line, "", "%s", text)
		return
	}
	for i, doc := range file.Docs {
		if doc.Body == nil {
			continue
		}
		if i > 0 {
			d.add(lineOf(doc.Body), "", "a second document begins here; use one document")
			return
		}
		d.value(doc.Body, "", to)
	}
}

// tokens refuses the YAML that settings have no use for, before the parser sees
// it: what refers to or retypes something else, and nesting without end, which
// costs the parser gigabytes.
func (d *decoder) tokens(tokens token.Tokens) bool {
	depth := 0
	for _, t := range tokens {
		line := t.Position.Line
		switch t.Type {
		case token.AnchorType, token.AliasType, token.TagType, token.MergeKeyType:
			d.add(line, "", "anchors, aliases and tags are not supported; write the value out, or put it in quotes if it begins with &, * or !")
			return false
		case token.MappingKeyType, token.DirectiveType:
			d.add(line, "", "? and %% at the beginning of a line are not supported; put the value in quotes")
			return false
		case token.SequenceEntryType:
			if t.Prev != nil && t.Prev.Type == token.SequenceEntryType && t.Prev.Position.Line == line {
				d.add(line, "", "a list in a list has no meaning here; write one \"- \"")
				return false
			}
		case token.SequenceStartType, token.MappingStartType:
			depth++
		case token.SequenceEndType, token.MappingEndType:
			depth--
		default: // scalars and punctuation
		}
		if depth > maxDepth {
			d.add(line, "", "brackets are nested more than %d deep", maxDepth)
			return false
		}
	}
	return true
}

// value decodes node, which stands at path, into to.
func (d *decoder) value(node ast.Node, path string, to reflect.Value) {
	if _, empty := node.(*ast.NullNode); empty {
		return // "key:" with nothing behind it leaves the default
	}
	if u, ok := to.Addr().Interface().(encoding.TextUnmarshaler); ok {
		if text, ok := d.text(node, path); ok {
			if err := u.UnmarshalText([]byte(text)); err != nil {
				d.add(lineOf(node), path, "%s", err)
			}
		}
		return
	}
	switch to.Kind() {
	case reflect.String:
		if text, ok := d.text(node, path); ok {
			to.SetString(text)
		}
	case reflect.Bool:
		b, ok := node.(*ast.BoolNode)
		if !ok {
			d.add(lineOf(node), path, "must be true or false")
			return
		}
		to.SetBool(b.Value)
	case reflect.Slice:
		d.list(node, path, to)
	default:
		d.section(node, path, to)
	}
}

// text returns a scalar as text. A number is taken as it is written.
func (d *decoder) text(node ast.Node, path string) (string, bool) {
	switch n := node.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode:
		return node.GetToken().Value, true
	case *ast.BoolNode:
		d.add(lineOf(node), path, "must be text; put it in quotes")
	default:
		d.add(lineOf(node), path, "must be text on one line")
	}
	return "", false
}

// list decodes a sequence.
func (d *decoder) list(node ast.Node, path string, to reflect.Value) {
	seq, ok := node.(*ast.SequenceNode)
	if !ok {
		d.add(lineOf(node), path, "must be a list; begin each entry with \"- \"")
		return
	}
	to.Set(reflect.MakeSlice(to.Type(), len(seq.Values), len(seq.Values)))
	for i, entry := range seq.Values {
		at := fmt.Sprintf("%s[%d]", path, i)
		d.lines[at] = lineOf(entry)
		d.value(entry, at, to.Index(i))
	}
}

// section decodes a mapping into a struct.
func (d *decoder) section(node ast.Node, path string, to reflect.Value) {
	var entries []*ast.MappingValueNode
	switch n := node.(type) {
	case *ast.MappingNode:
		entries = n.Values
	case *ast.MappingValueNode:
		entries = []*ast.MappingValueNode{n}
	default:
		d.add(lineOf(node), path, "must be a group of \"key: value\" lines")
		return
	}
	seen := map[string]int{}
	for _, entry := range entries {
		line := lineOf(entry.Key)
		key := entry.Key.GetToken().Value
		at := strings.TrimPrefix(path+"."+key, ".")
		field, ok := fieldOf(to, key)
		switch {
		case !ok:
			d.add(line, at, "unknown key%s", suggest(key, keysOf(to.Type())))
			continue
		case seen[key] > 0:
			d.add(line, at, "stands twice, first in line %d; remove one", seen[key])
			continue
		}
		seen[key] = line
		d.lines[at] = line
		d.value(entry.Value, at, field)
	}
}

// fieldOf returns the field of the struct with the given YAML key.
func fieldOf(to reflect.Value, key string) (reflect.Value, bool) {
	for i := range to.NumField() {
		if tag := to.Type().Field(i).Tag.Get("yaml"); tag == key && tag != "" && tag != "-" {
			return to.Field(i), true
		}
	}
	return reflect.Value{}, false
}

// keysOf lists the YAML keys of a struct.
func keysOf(t reflect.Type) []string {
	var keys []string
	for f := range t.Fields() {
		if tag := f.Tag.Get("yaml"); tag != "" && tag != "-" {
			keys = append(keys, tag)
		}
	}
	return keys
}

// lineOf returns the line a node begins on, counted from 1; 0 if not known.
func lineOf(node ast.Node) int {
	if node == nil || node.GetToken() == nil || node.GetToken().Position == nil {
		return 0
	}
	if m, ok := node.(*ast.MappingNode); ok && len(m.Values) > 0 {
		return lineOf(m.Values[0].Key) // the mapping's own token is its first colon
	}
	if m, ok := node.(*ast.MappingValueNode); ok {
		return lineOf(m.Key)
	}
	return node.GetToken().Position.Line
}
