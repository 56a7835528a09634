package rules

import "testing"

// talkLines are ordinary lines of a chat, as they come by the thousand.
func talkLines() []string {
	return []string{
		"that was 5 in a row, let's go", "LUL LUL LUL", "i bought 12 last week and it's great", "how much is 12?", "forsenParty EDM forsenParty",
		"@bob you're right :)", "https://clips.example.com/abc", "это просто красиво", "カワイイ 5 かわいい", "🔥🔥🔥 let's goooo", "café für alle — naïve",
		"mine diamonds at y 12", "sold my house for 12", "+1 for the music", "你好世界今天天气很好我们去公园散步吧", "A1 sauce is the best",
		"👨‍👩‍👧 family ❤️", "ｗｈａｔ　ａ　ｓｈｏｗ！", "すごい！！…", "@hawkerbot thanks", "\"quoted\" and `code`", "> quoted\nanswer", "مرحبا ١٢",
	}
}

// claimLines are claims in all forms.
func claimLines() []string {
	return []string{"!buy 5", "!buy 12 M x2", "!buy 20 antracite", "sold 12 m 2", "A1+1", "mine m", "12 m", "!pass 5", "!cart", "！ｂｕｙ　５"}
}

// TestTalkCostsNoMemory: thousands of lines a second must not feed the garbage collector. Claims that carry no text of
// their own cost none either.
func TestTalkCostsNoMemory(t *testing.T) {
	g, in := NewGrammar(shelf(allStyles()), Options{}), onAir(12)
	for _, s := range append(talkLines(), claimLines()...) {
		if n := testing.AllocsPerRun(100, func() { g.Parse(s, in) }); n > 0 {
			t.Errorf("Parse(%q) allocates %v times", s, n)
		}
	}
}

func BenchmarkTalk(b *testing.B)  { benchmark(b, talkLines()) }
func BenchmarkClaim(b *testing.B) { benchmark(b, claimLines()) }

// benchmark reads one line an operation, of the lines in turn.
func benchmark(b *testing.B, lines []string) {
	g := NewGrammar(shelf(allStyles()), Options{})
	in := onAir(12)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		g.Parse(lines[i%len(lines)], in)
		i++
	}
}
