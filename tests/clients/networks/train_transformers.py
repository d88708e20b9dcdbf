"""Trains a small BERT of its own by the Trainer with nothing of MLflow but autolog(), adds the pipeline that came of it to the run, and
prints as JSON what it saw itself."""
import json

import mlflow
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import (BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast, Trainer, TrainingArguments, pipeline,
                          set_seed)

PRAISE, BLAME, NOUNS = ["good", "fine", "great"], ["bad", "poor", "awful"], ["day", "film"]


def new_tokenizer():
    words = {word: number for number, word in enumerate(["[PAD]", "[UNK]", *PRAISE, *BLAME, *NOUNS])}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]")


set_seed(0)
tokenizer = new_tokenizer()
sentences = [(f"{word} {noun}", label) for label, words in enumerate((BLAME, PRAISE)) for word in words for noun in NOUNS]
examples = [{**tokenizer(text, return_token_type_ids=False), "labels": label} for text, label in sentences]
model = BertForSequenceClassification(BertConfig(
    vocab_size=len(tokenizer), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32,
    max_position_embeddings=16, id2label={0: "blame", 1: "praise"}, label2id={"blame": 0, "praise": 1}))

mlflow.autolog()
trainer = Trainer(model, TrainingArguments(
    "checkpoints", run_name="a small BERT", num_train_epochs=3, per_device_train_batch_size=4, learning_rate=0.01, use_cpu=True,
    eval_strategy="epoch", logging_strategy="epoch", save_strategy="no", disable_tqdm=True), train_dataset=examples, eval_dataset=examples)
parameters = {**model.config.to_dict(), **trainer.args.to_dict()}
trainer.train()

judge = pipeline("text-classification", model=model, tokenizer=tokenizer, device="cpu")
with mlflow.start_run(run_id=mlflow.last_active_run().info.run_id):
    logged = mlflow.transformers.log_model(judge, name="model", pip_requirements=["torch", "transformers"])
print(json.dumps({
    "parameters": {name: str(value) for name, value in parameters.items()},
    "log": trainer.state.log_history,
    "predictions": judge(["great film", "poor day"]),
    "loaded": mlflow.transformers.load_model(logged.model_uri)(["great film", "poor day"]),
}))
