"""Fine-tuning: an encoder and a head learn a task's labels together, and are measured as linear read-outs are."""
