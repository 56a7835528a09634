package saved

import (
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
)

// fill puts something into every field of v, or into some.
func fill(r *rand.Rand, v reflect.Value, all bool) {
	if !all && r.IntN(3) == 0 {
		return
	}
	if v.Type() == reflect.TypeFor[time.Time]() {
		v.Set(reflect.ValueOf(time.UnixMilli(1_790_000_000_000 + r.Int64N(1e9)).UTC().Add(time.Duration(r.IntN(2)) * time.Nanosecond)))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(r, v.Field(i), all)
		}
	case reflect.String:
		texts := []string{"ana", `a "b" \c`, "<é>&", "line\nbreak", "日本", "\u2028", "\xff"}
		v.SetString(texts[r.IntN(len(texts))])
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), r.IntN(3), 3))
		for i := range v.Len() {
			fill(r, v.Index(i), all)
		}
	case reflect.Int, reflect.Int64:
		v.SetInt(1 + r.Int64N(1e15))
	case reflect.Uint8, reflect.Uint64:
		v.SetUint(1 + r.Uint64N(200))
	default:
		panic(v.Type().String() + " is not known to fill")
	}
}

func same[T any](t *testing.T, write func([]byte, *T) []byte) {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 500 {
		var x T
		fill(r, reflect.ValueOf(&x).Elem(), i == 0)
		if i == 1 {
			x = *new(T)
		}
		want, err := json.Marshal(x)
		if err != nil {
			t.Fatal(err)
		}
		if got := write([]byte("-"), &x); string(got) != "-"+string(want) {
			t.Fatalf("wrote  %s\nwant  -%s", got, want)
		}
	}
}

func TestLikeJSON(t *testing.T) {
	same(t, Outcome)
	same(t, Message)
	same(t, Command)
	same(t, func(b []byte, a *chat.Answer) []byte { return Answer(b, *a) })
	same(t, func(b []byte, v *chat.Viewer) []byte { return Viewer(b, *v) })
}

func BenchmarkOutcome(b *testing.B) {
	x := &commerce.Outcome{What: commerce.Claimed, Reason: commerce.Held, Key: commerce.Key{Platform: chat.Twitch, Message: "0192-a"}, Show: 1 << 40, Number: 3, Title: "Mug", Hold: 1 << 41, Due: time.Now()}
	buf := make([]byte, 0, 1024)
	b.Run("by hand", func(b *testing.B) {
		for b.Loop() {
			buf = Outcome(buf[:0], x)
		}
	})
	b.Run("encoding json", func(b *testing.B) {
		for b.Loop() {
			_, _ = json.Marshal(x)
		}
	})
}
