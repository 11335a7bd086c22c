"""What an EVA-DTS audit counts: derived from the records of one decision, in its own commit."""
