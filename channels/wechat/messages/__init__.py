"""An edition as messages of WeCom: what group robots and apps post."""
