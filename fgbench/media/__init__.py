"""From files to arrays: images, texts, video frames and sounds as networks take them."""
