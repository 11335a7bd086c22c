"""EVA-DTS: audit reports as text, and DEX/UCS to hand them over (EVA-DTS 6.1.1)."""
