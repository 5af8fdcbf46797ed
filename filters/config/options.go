package config

// Option refines a field. An option that a kind of field cannot use is a
// mistake in the table, which Verify reports.
type Option func(*options)

// options is what the options of one field say.
type options struct {
	doc, example string
	def          any
	hasDefault   bool
	required     bool
	deprecated   string
	secret       []string
	oneOf        []string
	namespace    string // names that this field declares
	anyKey       bool
	validName    bool
	lo, hi       *number
	lenLo, lenHi int
	hasLength    bool
	checks       []check
}

// check is a test of what value, a *T, points at, T being the field's type.
// typed is false if it is for another type; it is not run unless run is true.
type check func(value any, run bool) (typed bool, err error)

// number is a bound in both spellings, so that no integer loses digits.
type number struct {
	i int64
	f float64
}

// Doc is the field's line (or lines) in the reference.
func Doc(text string) Option { return func(o *options) { o.doc = text } }

// Example is a value to show in the reference, spelled as in a file.
func Example(text string) Option { return func(o *options) { o.example = text } }

// Default is the value if the key is absent: a value of the field's type, or
// the text that a file would hold ("64KiB").
func Default(v any) Option {
	return func(o *options) { o.def, o.hasDefault = v, true }
}

// Required makes an absent key an error.
func Required() Option { return func(o *options) { o.required = true } }

// Deprecated marks a key that will go; instead says what to do, as a hint does
// ("use timeout"). Using the key is a warning.
func Deprecated(instead string) Option {
	return func(o *options) { o.deprecated = instead }
}

// OneOf lists the texts that a String, or each entry of Strings, may have.
func OneOf(values ...string) Option { return func(o *options) { o.oneOf = values } }

// In makes names in a namespace, for Ref to point at: the keys of a Map or
// StringMap, or the value of a String, such as one inside a List's entries. A
// name may be made once in a document.
func In(namespace string) Option {
	return func(o *options) { o.namespace = namespace }
}

// Name demands of a String what ValidName demands.
func Name() Option { return func(o *options) { o.validName = true } }

// AnyKey lets the keys of a Map be any text but the empty one, not only valid
// names.
func AnyKey() Option { return func(o *options) { o.anyKey = true } }

// Range bounds a number, a size in bytes or a duration, both ends included.
func Range[N ~int | ~int64 | ~float64](lo, hi N) Option {
	return bounds(&number{int64(lo), float64(lo)}, &number{int64(hi), float64(hi)})
}

// Min is the least value of a number, a size in bytes or a duration.
func Min[N ~int | ~int64 | ~float64](lo N) Option {
	return bounds(&number{int64(lo), float64(lo)}, nil)
}

// Max is the greatest value of a number, a size in bytes or a duration.
func Max[N ~int | ~int64 | ~float64](hi N) Option {
	return bounds(nil, &number{int64(hi), float64(hi)})
}

func bounds(lo, hi *number) Option {
	return func(o *options) {
		if lo != nil {
			o.lo = lo
		}
		if hi != nil {
			o.hi = hi
		}
	}
}

// Length bounds the bytes of a text or the entries of a list or map, both ends
// included.
func Length(lo, hi int) Option {
	return func(o *options) { o.lenLo, o.lenHi, o.hasLength = lo, hi, true }
}

// Check adds a test of the decoded value; T is the field's type (string for
// String, []Named[X] for Map). Its error becomes the message; Problem gives it
// a hint. It runs only if the value is otherwise right.
func Check[T any](test func(T) error) Option {
	return checked(func(value any, run bool) (typed bool, err error) {
		v, typed := value.(*T)
		if typed && run {
			err = test(*v)
		}
		return typed, err
	})
}

func checked(c check) Option {
	return func(o *options) { o.checks = append(o.checks, c) }
}

// Secret says that a String, or each entry of Strings, is a reference to a secret and never the secret: one
// of the forms "host", "env:NAME", "callout:NAME" or those given ("file" for
// what only tools read). Anything else is an error that does not repeat it.
func Secret(forms ...string) Option {
	if len(forms) == 0 {
		forms = []string{"host", "env", "callout"}
	}
	return func(o *options) { o.secret = forms }
}

// Problem is an error for a Check to return: a message and what to do.
func Problem(message, hint string) error { return &problem{message, hint} }

type problem struct{ message, hint string }

func (p *problem) Error() string { return p.message }
