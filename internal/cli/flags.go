package cli

import (
	"flag"
	"fmt"
	"io"
	"os"
	"reflect"
	"strings"
)

// envPrefix begins the names of the environment variables that flags take
// their defaults from.
const envPrefix = "SIGHTLINE_"

// Flags reads a command line into the fields of a struct by the tags that kong
// reads, with the standard library alone: kong calls methods by name, which
// makes the linker keep every method of every type, 2.5 MB in a program that
// has to fit into a camera's flash. Only what the camera command needs is
// known: strings, booleans, lists of strings, embedded structs, arguments that
// are strings, and one list of them.
type Flags struct {
	set  *flag.FlagSet
	args []*string // arguments that must be there, in order
	rest *[]string // takes the others; nil if there may be none
	help []flagHelp
	env  []*flag.Flag // those with an environment variable
}

// flagHelp is a line of the help text.
type flagHelp struct{ flag, text string }

// NewFlags returns the flags of grammar, a pointer to a struct, whose fields it
// sets. Flags not given take their values from the environment.
func NewFlags(name string, grammar any) (*Flags, error) {
	f := &Flags{set: flag.NewFlagSet(name, flag.ContinueOnError)}
	f.set.SetOutput(io.Discard)
	f.set.Usage = func() {}
	if err := f.fields(reflect.ValueOf(grammar).Elem()); err != nil {
		return nil, fmt.Errorf("flags of %s: %w", name, err)
	}
	return f, nil
}

func (f *Flags) fields(v reflect.Value) error {
	for i := range v.NumField() {
		field := v.Type().Field(i)
		if !field.IsExported() {
			continue
		}
		if _, ok := field.Tag.Lookup("embed"); ok || field.Anonymous {
			if err := f.fields(v.Field(i)); err != nil {
				return err
			}
			continue
		}
		if err := f.field(field, v.Field(i)); err != nil {
			return err
		}
	}
	return nil
}

func (f *Flags) field(field reflect.StructField, v reflect.Value) error {
	to := v.Addr().Interface()
	if _, ok := field.Tag.Lookup("arg"); ok {
		switch to := to.(type) {
		case *string:
			f.args = append(f.args, to)
		case *[]string:
			f.rest = to
		default:
			return fmt.Errorf("argument %s is of an unknown type", field.Name)
		}
		return nil
	}
	name := flagName(field)
	line := flagHelp{"--" + name, field.Tag.Get("help")}
	switch to := to.(type) {
	case *string:
		f.set.StringVar(to, name, "", "")
	case *bool:
		f.set.BoolVar(to, name, false, "")
	case *[]string:
		f.set.Var(&stringList{to: to}, name, "")
	default:
		return fmt.Errorf("flag --%s is of an unknown type", name)
	}
	if field.Tag.Get("env") != "-" {
		f.env = append(f.env, f.set.Lookup(name))
	}
	if p := field.Tag.Get("placeholder"); p != "" {
		line.flag += "=" + p
	}
	f.help = append(f.help, line)
	return nil
}

// flagName is the name that kong gives a field too.
func flagName(field reflect.StructField) string {
	if name := field.Tag.Get("name"); name != "" {
		return name
	}
	var b strings.Builder
	for i, r := range field.Name {
		if r >= 'A' && r <= 'Z' {
			if i > 0 {
				b.WriteByte('-')
			}
			r += 'a' - 'A'
		}
		b.WriteRune(r)
	}
	return b.String()
}

// Names returns the names of all flags, without dashes.
func (f *Flags) Names() []string {
	var out []string
	f.set.VisitAll(func(fl *flag.Flag) { out = append(out, fl.Name) })
	return out
}

// Parse reads the arguments, without the program's name; flags and others may
// be mixed. The error is flag.ErrHelp for --help.
func (f *Flags) Parse(args []string) error {
	if err := RefuseInlinePassword(args); err != nil {
		return err
	}
	if err := f.environment(); err != nil {
		return err
	}
	var others []string
	for len(args) > 0 {
		if err := f.set.Parse(args); err != nil {
			return err
		}
		used := len(args) - f.set.NArg()
		rest := f.set.Args()
		if used > 0 && args[used-1] == "--" {
			others = append(others, rest...)
			break
		}
		if len(rest) == 0 {
			break
		}
		others, args = append(others, rest[0]), rest[1:]
	}
	return f.arguments(others)
}

// arguments takes what is no flag.
func (f *Flags) arguments(given []string) error {
	if missing := len(f.args) - len(given); missing > 0 {
		return fmt.Errorf("there are %d arguments too few", missing)
	}
	for i, to := range f.args {
		*to = given[i]
	}
	given = given[len(f.args):]
	if f.rest != nil {
		*f.rest = given
	} else if len(given) > 0 {
		return fmt.Errorf("there are %d arguments too many", len(given))
	}
	return nil
}

// environment sets the flags' values from the environment.
func (f *Flags) environment() error {
	for _, fl := range f.env {
		variable := envPrefix + strings.ToUpper(strings.ReplaceAll(fl.Name, "-", "_"))
		text, ok := os.LookupEnv(variable)
		if !ok {
			continue
		}
		if fl.Value.Set(text) != nil {
			return fmt.Errorf("the environment variable %s is not what --%s takes", variable, fl.Name)
		}
		if list, ok := fl.Value.(*stringList); ok {
			list.replace = true
		}
	}
	return nil
}

// Help writes the flags, one a line.
func (f *Flags) Help(w io.Writer) {
	width := 0
	for _, h := range f.help {
		width = max(width, len(h.flag))
	}
	for _, h := range f.help {
		fmt.Fprintf(w, "  %-*s  %s\n", width, h.flag, h.text)
	}
}

// stringList is a flag that may be repeated.
type stringList struct {
	to      *[]string
	replace bool // the next value replaces what the environment gave
}

// String implements flag.Value.
func (l *stringList) String() string {
	if l.to == nil {
		return ""
	}
	return strings.Join(*l.to, " ")
}

// Set implements flag.Value.
func (l *stringList) Set(s string) error {
	if l.replace {
		*l.to, l.replace = nil, false
	}
	*l.to = append(*l.to, s)
	return nil
}
