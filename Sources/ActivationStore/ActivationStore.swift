// ActivationStore
